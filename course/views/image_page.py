"""The page of heat maps over an image: a grid of patches that can be walked through, over the picture.

Numbers travel as they are printed, so the page says nothing that the record does not.
"""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from PIL import Image

from course.views.image_colours import CONTRAST, FALL, MARKED, PLAIN, RISE, STRENGTH, frame_width
from course.views.image_heats import Heat
from course.views.image_twin import shown_size
from course.views.image_words import picture_notes, pictured, special_words
from course.views.libraries import own_file
from course.views.page import frame_page
from course.views.palette import Bytes
from course.views.room import Page, legend_height, lines_of, stepwise, title_height

_HOW = (
    "First the picture in grey under its heat, then as the model reads it. Colours grow with the value. "
    "Point at a patch to read its value, or move with the arrow keys; “r2c5” is row 2, column 5, counted from 0."
)
_SIGNED = "Orange, unbroken frame: the patch raises the number; blue, dotted frame: it lowers it. "

# From image.css and frame.css, in CSS pixels.
_PADDING, _CONTROLS, _READOUT, _CAPTION, _GAP = 24, 44, 32, 26, 24
STACKED = 560
"""On narrower pages the pictures stand one under the other. As in image.css."""


def image_page(title: str, heats: Sequence[Heat], first: int, *, theme: str) -> Page:
    """The page, beginning with the map number ``first``."""
    signed = any(heat.signed for heat in heats)
    legend = [(_SIGNED if signed else "") + _HOW, *picture_notes(heats[0])]
    wide, high = shown_size(heats[0])
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[own_file("image.js")],
        weights=json.dumps([_carried(heat) for heat in heats], ensure_ascii=False, separators=(",", ":")).encode(),
        parcel={
            "view": "image",
            "style": own_file("image.css"),
            "first": first,
            "grid": heats[0].patches.grid,
            "names": heats[0].texts,
            "picture": png_url(heats[0].patches.picture.rgb),
            "caption": f"The picture {pictured(heats[0])}",
            "size": [wide, high],
            "inks": {"rise": RISE, "fall": FALL, "plain": PLAIN},
            "strength": STRENGTH,
            "marked": MARKED,
            "line": frame_width(heats[0], wide),
            "contrast": CONTRAST,
        },
        theme=theme,
    )
    longest = max((_notes(heat) for heat in heats), key=lambda notes: sum(map(len, notes)))

    def picture_height(width: int) -> int:
        room = width - _PADDING
        lines = sum(lines_of(note, room, 6.6) for note in longest)
        selects = _CONTROLS * (1 if width > 760 else 2 if width > 420 else 3)
        if width >= STACKED:
            pictures = high * min(1.0, (room - _GAP) / 2 / wide) + _CAPTION * 2
        else:
            pictures = 2 * (high * min(1.0, room / wide) + _CAPTION * 2)
        return round(selects + _READOUT + pictures + 18 * lines + 30)

    words = f"{_PADDING}px + {title_height(title)} + {legend_height(legend)}"
    height = _PADDING + 20 + sum(22 + 18 * (len(line) // 130) for line in legend) + picture_height(960)
    return page, height, f"calc({words} + {stepwise(picture_height)})"


def png_url(rgb: Bytes) -> str:
    """A picture as a PNG without dates or names, in a URL of its own."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=9)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def _notes(heat: Heat) -> list[str]:
    return [*special_words(heat), *heat.notes]


def _carried(heat: Heat) -> dict[str, Any]:
    least, most = heat.ticks
    return {
        "group": heat.group,
        "name": heat.name,
        "signed": heat.signed,
        "numbers": [heat.number(value) for value in heat.values],
        "shares": [round(share, 4) for share in heat.shares],
        "notes": _notes(heat),
        "ticks": [least, most],
        "scale": f"Colours from {least}, blue, over none at 0 to {most}, orange"
        if heat.signed
        else f"Colours from weight 0, none, to weight {most}",
    }
