"""Pictures of attention: each a page to explore, a PNG of the same data, and words.

Nothing heavy is imported until a picture is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.views.attention_views import head_view, model_view
    from course.views.attribution_views import attribution_view
    from course.views.curve_views import curve_view
    from course.views.difference_views import diff_view
    from course.views.generation_views import generation_view
    from course.views.image_views import image_view
    from course.views.lens_views import factors_view, induction_view, lens_view, watch_view
    from course.views.neurons import neuron_view
    from course.views.view import View, ViewError

_HOMES = {
    "attribution_view": "course.views.attribution_views",
    "curve_view": "course.views.curve_views",
    "diff_view": "course.views.difference_views",
    "factors_view": "course.views.lens_views",
    "generation_view": "course.views.generation_views",
    "head_view": "course.views.attention_views",
    "image_view": "course.views.image_views",
    "induction_view": "course.views.lens_views",
    "lens_view": "course.views.lens_views",
    "model_view": "course.views.attention_views",
    "neuron_view": "course.views.neurons",
    "watch_view": "course.views.lens_views",
    "View": "course.views.view",
    "ViewError": "course.views.view",
}

__all__ = [
    "View",
    "ViewError",
    "attribution_view",
    "curve_view",
    "diff_view",
    "factors_view",
    "generation_view",
    "head_view",
    "image_view",
    "induction_view",
    "lens_view",
    "model_view",
    "neuron_view",
    "watch_view",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"course.views has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
