"""A course on looking inside transformers: the words that its lessons use.

Nothing heavy is imported until it is used: ``import course`` costs milliseconds, the first `load` imports
torch and transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.attending import attend
    from course.attention import Attention, AttentionError, EncoderDecoderAttention
    from course.attributions.answering import Answer, AnswerError, answer
    from course.attributions.attributing import attribute
    from course.attributions.attribution import Attribution
    from course.attributions.embedded import AttributionError
    from course.causal.generating import generate
    from course.causal.generation import Generation
    from course.causal.induction import HeadScores, induction_scores
    from course.causal.lenses import Lens, Watched
    from course.causal.logit_lens import lens
    from course.causal.mlp_neurons import NeuronError, Neurons, neurons
    from course.causal.neuron_factors import Factors
    from course.causal.parts import LensError
    from course.differences.attention_diff import AttentionDiff, EncoderDecoderDiff, diff
    from course.differences.changes import Change
    from course.differences.comparing import DiffError
    from course.differences.noise import NoiseFloor, noise_floor
    from course.differences.stagewise import ThreeWay, three_way
    from course.exercises import claim, exercise
    from course.faithfulness.ablation import Ablation, ablated
    from course.faithfulness.deletion import DeletionCurve, deletion_curve
    from course.faithfulness.erasure import Erasure, Erasures, erase, mean_erasure
    from course.faithfulness.grading import Grade, Grades, GradingError, grade, mean_grade
    from course.faithfulness.interventions import InterventionError
    from course.faithfulness.rank_correlation import RankAgreement, rank_agreement
    from course.faithfulness.removal import FaithfulnessError, Removal
    from course.faithfulness.replacement import Replacement, replaced
    from course.faithfulness.swapping import AttentionSwap, swap_attention
    from course.measures.profiles import EncoderDecoderProfile, Profile, ProfileError
    from course.measures.profiling import profile
    from course.models import Model, ModelError, load, wrap
    from course.models.listing import catalogue
    from course.neuron import neuron_view
    from course.pairs import SentencePair, sentence_pairs
    from course.ranking import Ranking, RankingError, rank
    from course.tokens import InputError, Tokens
    from course.views import (
        View,
        ViewError,
        attribution_view,
        curve_view,
        diff_view,
        factors_view,
        generation_view,
        head_view,
        image_view,
        induction_view,
        lens_view,
        model_view,
        watch_view,
    )
    from course.vision.digit_image import DigitImage
    from course.vision.handwriting import digit_images
    from course.vision.polarity import inverted

_HOMES = {
    "Ablation": "course.faithfulness.ablation",
    "ablated": "course.faithfulness.ablation",
    "Answer": "course.attributions.answering",
    "AnswerError": "course.attributions.answering",
    "answer": "course.attributions.answering",
    "attend": "course.attending",
    "Attention": "course.attention",
    "AttentionError": "course.attention",
    "EncoderDecoderAttention": "course.attention",
    "attribute": "course.attributions.attributing",
    "Attribution": "course.attributions.attribution",
    "AttributionError": "course.attributions.embedded",
    "catalogue": "course.models.listing",
    "Change": "course.differences.changes",
    "DiffError": "course.differences.comparing",
    "DeletionCurve": "course.faithfulness.deletion",
    "deletion_curve": "course.faithfulness.deletion",
    "AttentionDiff": "course.differences.attention_diff",
    "EncoderDecoderDiff": "course.differences.attention_diff",
    "diff": "course.differences.attention_diff",
    "claim": "course.exercises",
    "exercise": "course.exercises",
    "Erasure": "course.faithfulness.erasure",
    "Erasures": "course.faithfulness.erasure",
    "erase": "course.faithfulness.erasure",
    "mean_erasure": "course.faithfulness.erasure",
    "Grade": "course.faithfulness.grading",
    "Grades": "course.faithfulness.grading",
    "GradingError": "course.faithfulness.grading",
    "grade": "course.faithfulness.grading",
    "mean_grade": "course.faithfulness.grading",
    "InterventionError": "course.faithfulness.interventions",
    "Model": "course.models",
    "ModelError": "course.models",
    "load": "course.models",
    "wrap": "course.models",
    "neuron_view": "course.neuron",
    "NoiseFloor": "course.differences.noise",
    "noise_floor": "course.differences.noise",
    "EncoderDecoderProfile": "course.measures.profiles",
    "Profile": "course.measures.profiles",
    "ProfileError": "course.measures.profiles",
    "profile": "course.measures.profiling",
    "SentencePair": "course.pairs",
    "sentence_pairs": "course.pairs",
    "RankAgreement": "course.faithfulness.rank_correlation",
    "rank_agreement": "course.faithfulness.rank_correlation",
    "Ranking": "course.ranking",
    "RankingError": "course.ranking",
    "rank": "course.ranking",
    "FaithfulnessError": "course.faithfulness.removal",
    "Removal": "course.faithfulness.removal",
    "Replacement": "course.faithfulness.replacement",
    "replaced": "course.faithfulness.replacement",
    "ThreeWay": "course.differences.stagewise",
    "three_way": "course.differences.stagewise",
    "AttentionSwap": "course.faithfulness.swapping",
    "swap_attention": "course.faithfulness.swapping",
    "InputError": "course.tokens",
    "Tokens": "course.tokens",
    "View": "course.views",
    "ViewError": "course.views",
    "attribution_view": "course.views",
    "curve_view": "course.views",
    "DigitImage": "course.vision.digit_image",
    "digit_images": "course.vision.handwriting",
    "inverted": "course.vision.polarity",
    "diff_view": "course.views",
    "head_view": "course.views",
    "model_view": "course.views",
    "Factors": "course.causal.neuron_factors",
    "Generation": "course.causal.generation",
    "generate": "course.causal.generating",
    "HeadScores": "course.causal.induction",
    "induction_scores": "course.causal.induction",
    "Lens": "course.causal.lenses",
    "lens": "course.causal.logit_lens",
    "LensError": "course.causal.parts",
    "NeuronError": "course.causal.mlp_neurons",
    "Neurons": "course.causal.mlp_neurons",
    "neurons": "course.causal.mlp_neurons",
    "Watched": "course.causal.lenses",
    "factors_view": "course.views",
    "generation_view": "course.views",
    "image_view": "course.views",
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
    "DigitImage",
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
    "curve_view",
    "deletion_curve",
    "diff",
    "diff_view",
    "digit_images",
    "erase",
    "exercise",
    "factors_view",
    "generate",
    "generation_view",
    "grade",
    "head_view",
    "image_view",
    "induction_scores",
    "induction_view",
    "inverted",
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
