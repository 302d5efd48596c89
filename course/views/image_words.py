"""A heat map over an image in words: alt text and summary."""

from __future__ import annotations

from collections.abc import Sequence

from course.tokens import shown
from course.views.image_heats import Heat, Spot
from course.views.selection import label

_LISTED = 5
_QUARTERS = ("upper left", "upper right", "lower left", "lower right")


def image_words(heat: Heat, heats: Sequence[Heat], title: str) -> tuple[str, str]:
    """Alt text and summary of the map shown first: what it is, its strongest patches, and where the most of it is."""
    rows, columns = heat.patches.grid
    said = [*_strongest(heat), _where(heat)]
    alt = (
        f"Heat map over an image, beside the image alone. {title}. Shown: {heat.title}. {' '.join(said)} "
        f"{' '.join(heat.notes)}"
    )
    lines = [
        title,
        f"Image, {pictured(heat)}; {rows} × {columns} patches, r0c0 at the upper left.",
        f"Shown: {heat.title}." + (f" Also: {_others(heat, heats)}." if len(heats) > 1 else ""),
        *said,
        *heat.notes,
        *picture_notes(heat),
    ]
    return alt, "\n".join(lines)


def pictured(heat: Heat) -> str:
    """The picture's size and name."""
    picture = heat.patches.picture
    return f"as the model reads it, {picture.width} × {picture.height} pixels: {label(picture.name)}"


def picture_notes(heat: Heat) -> list[str]:
    """What a reader must know of the picture."""
    return [shown(note) for note in heat.patches.picture.notes]


def special_words(heat: Heat) -> list[str]:
    """What the special tokens have, which are nowhere in the image."""
    if not heat.special or not any(spot.value for spot in heat.special):
        return []
    return [f"Not in the image: {_listed(heat, heat.special)}."]


def _strongest(heat: Heat) -> list[str]:
    names = (("Raise it most", 1), ("Lower it most", -1)) if heat.signed else (("Largest weights", 1),)
    return [
        *(f"{name}: {_listed(heat, heat.strongest(_LISTED, sign))}." for name, sign in names),
        *special_words(heat),
    ]


def _where(heat: Heat) -> str:
    parts = ", ".join(f"{name} {share:.0%}" for name, share in zip(_QUARTERS, heat.quarters(), strict=True))
    return f"Share of all values, whatever their sign: {parts}."


def _listed(heat: Heat, spots: Sequence[Spot]) -> str:
    return ", ".join(f"{spot.name} {heat.number(spot.value)}" for spot in spots) or "nothing"


def _others(heat: Heat, heats: Sequence[Heat]) -> str:
    groups = list(dict.fromkeys(one.group for one in heats if one.group != heat.group))
    names = list(dict.fromkeys(one.name for one in heats if one.group == heat.group and one.name != heat.name))
    listed = [*groups, *names]
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
