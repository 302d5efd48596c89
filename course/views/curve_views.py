"""curve_view: the probability of a label as a text loses its tokens, beside random orders."""

from __future__ import annotations

from collections.abc import Sequence

from course.attributions.attribution import METHODS
from course.faithfulness.deletion import DeletionCurve
from course.views.curve_page import MOST_CURVES, curve_page
from course.views.curve_twin import curve_twin
from course.views.selection import label
from course.views.view import View, ViewError


def curve_view(*curves: DeletionCurve, names: Sequence[str] | None = None, theme: str = "auto") -> View:
    """One or several deletion curves of one text, over the tokens removed, and the mean of random orders in grey.

    The pale strokes are where 95% of the random orders lie, those of the first curve. A curve below them finds
    what the label rests on; one among them is as good as chance. Several curves (at most 4) are of different
    explanations: they must have the same text, label and way of removing. ``names`` are what the curves are called,
    their methods if left out. ``theme`` is "light", "dark", or "auto".

    Raises ViewError for anything else, and for curves that cannot be compared.
    """
    _check(curves)
    first, names = curves[0], _names(curves, names)
    title = f"What is left of {label(first.label)!r} as {label(first.model)} loses {first.level}"
    notes = [
        f"{first.removal[0].upper()}{first.removal[1:]}, the highest value first. Grey: {len(first.areas)} random "
        "orders, their mean and where 95% of them lie.",
        *(_account(curve, name) for curve, name in zip(curves, names, strict=True)),
    ]
    page, height, fluid_height = curve_page(title, notes, curves, names, theme=theme)
    alt = f"{len(curves)} falling lines over {len(first.removed)} steps, and a grey one for random orders. " + " ".join(
        _account(curve, name) for curve, name in zip(curves, names, strict=True)
    )
    summary = "\n".join([title, *notes, *(_steps(curve, name) for curve, name in zip(curves, names, strict=True))])
    twin = curve_twin(title, notes, curves, names)
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large="shorten the text")


def _account(curve: DeletionCurve, name: str) -> str:
    return (
        f"{name[0].upper()}{name[1:]}: area under the curve {curve.area:.3f}, of random orders "
        f"{curve.random_area}; chance of an order as good {curve.chance:.2g}."
    )


def _steps(curve: DeletionCurve, name: str) -> str:
    steps = [f"−{label(text)} {value:.3f}" for text, value in zip(curve.removed[:8], curve.curve[1:], strict=False)]
    more = f", … {curve.curve[-1]:.3f} without all {len(curve.removed)}" if len(curve.removed) > 8 else ""
    return f"{name}: {curve.curve[0]:.3f}, {', '.join(steps)}{more}"


def _names(curves: Sequence[DeletionCurve], names: Sequence[str] | None) -> list[str]:
    found = [METHODS[curve.method] for curve in curves] if names is None else [label(str(name)) for name in names]
    if len(found) != len(curves):
        raise ViewError(f"names must be one for each of the {len(curves)} curves, not {len(found)}")
    if len(set(found)) < len(found) or not all(found):
        raise ViewError(f"curves need names that differ, not {', '.join(map(repr, found))}: give names=[…]")
    return found


def _check(curves: Sequence[DeletionCurve]) -> None:
    if not 1 <= len(curves) <= MOST_CURVES:
        raise ViewError(f"curve_view draws 1 to {MOST_CURVES} deletion curves, not {len(curves)}")
    for curve in curves:
        if not isinstance(curve, DeletionCurve):
            raise ViewError(
                f"curve_view draws a DeletionCurve, not {type(curve).__name__}: call course.deletion_curve(model, "
                "attribution) first, and give what it returns"
            )
    first = curves[0]
    for other in curves[1:]:
        for what in ("model", "label", "level", "removal"):
            one, two = getattr(first, what), getattr(other, what)
            if one != two:
                raise ViewError(f"these curves cannot be compared: their {what} differs, {one!r} and {two!r}")
        if sorted(first.removed) != sorted(other.removed) or abs(first.curve[0] - other.curve[0]) > 1e-4:
            raise ViewError("these curves cannot be compared: they are of different texts")
