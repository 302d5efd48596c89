"""The one page format of all views: a document for a sandboxed frame that needs nothing from outside.

Scripts and weights travel gzipped and in base64; ``frame.js`` unpacks them, runs the scripts, and lets the
page be seen once its picture is drawn. A script of a view calls ``frame.begin`` with the function that draws.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from course.views.libraries import own_file
from course.views.view import ViewError

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""The page's content security policy: what is in it may run, and nothing can be fetched."""

THEMES = ("auto", "light", "dark")
"""Of which paper a page is: that of the reader's system, or always the same."""


def frame_page(
    *,
    title: str,
    legend: Sequence[str],
    layout: str,
    scripts: Sequence[str],
    weights: bytes,
    parcel: Mapping[str, Any],
    theme: str = "auto",
) -> str:
    """The complete document. The same arguments give the same text.

    ``layout`` is the class of the body ("beside": the legend stands beside the picture; "above": over it).
    ``scripts`` are sources, run in order. ``weights`` (bytes) and ``parcel`` (anything that JSON can say) are
    what they draw. ``title`` and ``legend`` are text, not markup. ``theme`` is one of `THEMES`.

    Raises ViewError for another theme.
    """
    if theme not in THEMES:
        raise ViewError(f"theme must be one of {', '.join(map(repr, THEMES))}, not {theme!r}")
    forced = "" if theme == "auto" else f' data-theme="{theme}"'
    # Long repeats are rare in weights, and looking for them takes seconds: runs of one byte are what there is.
    contents = {**parcel, "scripts": packed(json.dumps(list(scripts)).encode()), "weights": packed(weights, zlib.Z_RLE)}
    main = ['<div id="picture"></div>', f"<aside>{''.join(f'<p>{escape(line)}</p>' for line in legend)}</aside>"]
    if layout == "above":  # in the order in which it is to be read
        main.reverse()
    return (
        f'<!DOCTYPE html>\n<html lang="en"{forced}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{own_file('frame.css')}</style>\n</head>\n"
        f'<body class="{escape(layout)}">\n<h1>{escape(title)}</h1>\n'
        f"<main>{''.join(main)}</main>\n"
        f'<script type="application/json" id="parcel">{script_json(contents)}</script>\n'
        f"<script>\n{own_file('frame.js')}</script>\n</body>\n</html>\n"
    )


def packed(data: bytes, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> str:
    """``data`` gzipped (without a date, so that equal bytes stay equal) and in base64."""
    gzip = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, strategy)
    return b64encode(gzip.compress(data) + gzip.flush()).decode()


def script_json(value: Any) -> str:
    """JSON that can stand inside a <script> element: no character in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
