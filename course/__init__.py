"""A course on looking inside transformers: the words that its lessons use.

Nothing heavy is imported until it is used: ``import course`` costs milliseconds, the first `load` imports
torch and transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.ablation import Ablation, ablated
    from course.answering import Answer, AnswerError, answer
    from course.attending import attend
    from course.attention import Attention, AttentionError, EncoderDecoderAttention
    from course.attributing import attribute
    from course.attribution import Attribution
    from course.causal import LensError
    from course.changes import Change
    from course.comparing import DiffError
    from course.deletion import DeletionCurve, deletion_curve
    from course.differences import AttentionDiff, EncoderDecoderDiff, diff
    from course.embedded import AttributionError
    from course.exercises import claim, exercise
    from course.faithfulness import Erasure, Erasures, erase, mean_erasure
    from course.generating import generate
    from course.generation import Generation
    from course.grading import Grade, Grades, GradingError, grade, mean_grade
    from course.induction import HeadScores, induction_scores
    from course.interventions import InterventionError
    from course.lenses import Lens, Watched
    from course.logit_lens import lens
    from course.mlp_neurons import NeuronError, Neurons, neurons
    from course.models import Model, ModelError, load, wrap
    from course.models.listing import catalogue
    from course.neuron import neuron_view
    from course.neuron_factors import Factors
    from course.noise import NoiseFloor, noise_floor
    from course.pairs import SentencePair, sentence_pairs
    from course.profiles import EncoderDecoderProfile, Profile, ProfileError
    from course.profiling import profile
    from course.rank_correlation import RankAgreement, rank_agreement
    from course.ranking import Ranking, RankingError, rank
    from course.removal import FaithfulnessError, Removal
    from course.replacement import Replacement, replaced
    from course.stagewise import ThreeWay, three_way
    from course.swapping import AttentionSwap, swap_attention
    from course.tokens import InputError, Tokens
    from course.views import (
        View,
        ViewError,
        attribution_view,
        diff_view,
        factors_view,
        generation_view,
        head_view,
        induction_view,
        lens_view,
        model_view,
        watch_view,
    )

_HOMES = {
    "Ablation": "course.ablation",
    "ablated": "course.ablation",
    "Answer": "course.answering",
    "AnswerError": "course.answering",
    "answer": "course.answering",
    "attend": "course.attending",
    "Attention": "course.attention",
    "AttentionError": "course.attention",
    "EncoderDecoderAttention": "course.attention",
    "attribute": "course.attributing",
    "Attribution": "course.attribution",
    "AttributionError": "course.embedded",
    "catalogue": "course.models.listing",
    "Change": "course.changes",
    "DiffError": "course.comparing",
    "DeletionCurve": "course.deletion",
    "deletion_curve": "course.deletion",
    "AttentionDiff": "course.differences",
    "EncoderDecoderDiff": "course.differences",
    "diff": "course.differences",
    "claim": "course.exercises",
    "exercise": "course.exercises",
    "Erasure": "course.faithfulness",
    "Erasures": "course.faithfulness",
    "erase": "course.faithfulness",
    "mean_erasure": "course.faithfulness",
    "Grade": "course.grading",
    "Grades": "course.grading",
    "GradingError": "course.grading",
    "grade": "course.grading",
    "mean_grade": "course.grading",
    "InterventionError": "course.interventions",
    "Model": "course.models",
    "ModelError": "course.models",
    "load": "course.models",
    "wrap": "course.models",
    "neuron_view": "course.neuron",
    "NoiseFloor": "course.noise",
    "noise_floor": "course.noise",
    "EncoderDecoderProfile": "course.profiles",
    "Profile": "course.profiles",
    "ProfileError": "course.profiles",
    "profile": "course.profiling",
    "SentencePair": "course.pairs",
    "sentence_pairs": "course.pairs",
    "RankAgreement": "course.rank_correlation",
    "rank_agreement": "course.rank_correlation",
    "Ranking": "course.ranking",
    "RankingError": "course.ranking",
    "rank": "course.ranking",
    "FaithfulnessError": "course.removal",
    "Removal": "course.removal",
    "Replacement": "course.replacement",
    "replaced": "course.replacement",
    "ThreeWay": "course.stagewise",
    "three_way": "course.stagewise",
    "AttentionSwap": "course.swapping",
    "swap_attention": "course.swapping",
    "InputError": "course.tokens",
    "Tokens": "course.tokens",
    "View": "course.views",
    "ViewError": "course.views",
    "attribution_view": "course.views",
    "diff_view": "course.views",
    "head_view": "course.views",
    "model_view": "course.views",
    "Factors": "course.neuron_factors",
    "Generation": "course.generation",
    "generate": "course.generating",
    "HeadScores": "course.induction",
    "induction_scores": "course.induction",
    "Lens": "course.lenses",
    "lens": "course.logit_lens",
    "LensError": "course.causal",
    "NeuronError": "course.mlp_neurons",
    "Neurons": "course.mlp_neurons",
    "neurons": "course.mlp_neurons",
    "Watched": "course.lenses",
    "factors_view": "course.views",
    "generation_view": "course.views",
    "induction_view": "course.views",
    "lens_view": "course.views",
    "watch_view": "course.views",
}

__all__ = sorted(_HOMES)
__all__ = [
    "Ablation",
    "Answer",
    "AnswerError",
    "Attention",
    "AttentionDiff",
    "AttentionError",
    "AttentionSwap",
    "Attribution",
    "AttributionError",
    "Change",
    "DeletionCurve",
    "DiffError",
    "EncoderDecoderAttention",
    "EncoderDecoderDiff",
    "EncoderDecoderProfile",
    "Erasure",
    "Erasures",
    "Factors",
    "FaithfulnessError",
    "Generation",
    "Grade",
    "Grades",
    "GradingError",
    "HeadScores",
    "InputError",
    "InterventionError",
    "Lens",
    "LensError",
    "Model",
    "ModelError",
    "NeuronError",
    "Neurons",
    "NoiseFloor",
    "Profile",
    "ProfileError",
    "RankAgreement",
    "Ranking",
    "RankingError",
    "Removal",
    "Replacement",
    "SentencePair",
    "ThreeWay",
    "Tokens",
    "View",
    "ViewError",
    "Watched",
    "ablated",
    "answer",
    "attend",
    "attribute",
    "attribution_view",
    "catalogue",
    "claim",
    "deletion_curve",
    "diff",
    "diff_view",
    "erase",
    "exercise",
    "factors_view",
    "generate",
    "generation_view",
    "grade",
    "head_view",
    "induction_scores",
    "induction_view",
    "lens",
    "lens_view",
    "load",
    "mean_erasure",
    "mean_grade",
    "model_view",
    "neuron_view",
    "neurons",
    "noise_floor",
    "profile",
    "rank",
    "rank_agreement",
    "replaced",
    "sentence_pairs",
    "swap_attention",
    "three_way",
    "watch_view",
    "wrap",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "measures":
        return import_module("course.measures")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"course has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
