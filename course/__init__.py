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
    from course.comparing import DiffError
    from course.differences import AttentionDiff, EncoderDecoderDiff, diff
    from course.exercises import claim, exercise
    from course.models import Model, ModelError, load, wrap
    from course.models.listing import catalogue
    from course.neuron import neuron_view
    from course.pairs import SentencePair, sentence_pairs
    from course.ranking import Ranking, RankingError, rank
    from course.tokens import InputError, Tokens
    from course.views import View, ViewError, diff_view, head_view, model_view

_HOMES = {
    "attend": "course.attending",
    "Attention": "course.attention",
    "AttentionError": "course.attention",
    "EncoderDecoderAttention": "course.attention",
    "catalogue": "course.models.listing",
    "DiffError": "course.comparing",
    "AttentionDiff": "course.differences",
    "EncoderDecoderDiff": "course.differences",
    "diff": "course.differences",
    "claim": "course.exercises",
    "exercise": "course.exercises",
    "Model": "course.models",
    "ModelError": "course.models",
    "load": "course.models",
    "wrap": "course.models",
    "neuron_view": "course.neuron",
    "SentencePair": "course.pairs",
    "sentence_pairs": "course.pairs",
    "Ranking": "course.ranking",
    "RankingError": "course.ranking",
    "rank": "course.ranking",
    "InputError": "course.tokens",
    "Tokens": "course.tokens",
    "View": "course.views",
    "ViewError": "course.views",
    "diff_view": "course.views",
    "head_view": "course.views",
    "model_view": "course.views",
}

__all__ = sorted(_HOMES)
__all__ = [
    "Attention",
    "AttentionDiff",
    "AttentionError",
    "DiffError",
    "EncoderDecoderAttention",
    "EncoderDecoderDiff",
    "InputError",
    "Model",
    "ModelError",
    "Ranking",
    "RankingError",
    "SentencePair",
    "Tokens",
    "View",
    "ViewError",
    "attend",
    "catalogue",
    "claim",
    "diff",
    "diff_view",
    "exercise",
    "head_view",
    "load",
    "model_view",
    "neuron_view",
    "rank",
    "sentence_pairs",
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
