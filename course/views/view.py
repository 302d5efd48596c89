"""View: one picture, as an interactive page, as a PNG or SVG, and in words.

An output must not exceed `BUDGET` (4,000,000 bytes of HTML and PNG together).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from course.views.canvas import Twin

BUDGET = 4_000_000
"""The most bytes that one output may put into a notebook."""


class ViewError(ValueError):
    """This picture cannot be drawn; the message says what to select or to install."""


@dataclass(frozen=True, repr=False)
class View:
    """A picture that shows itself in a notebook; the same input gives the same bytes.

    ``page`` is a complete HTML document, drawn in a frame of its own. ``twin`` is the same data as a static
    picture, and ``alt`` says in a sentence or two what is to be seen in it. ``summary`` is the same in more
    words, for reading. ``height`` is that of the page in CSS pixels on a wide screen; ``fluid_height`` is a
    CSS length that also holds on narrow ones (``100cqw`` is the width of the output). ``theme`` is the page's.

    Raises ViewError where the output would be larger than `BUDGET`; ``too_large`` is the advice given then.
    """

    title: str
    page: str
    twin: Twin = field(compare=False)
    alt: str
    summary: str
    height: int
    fluid_height: str
    theme: str = "auto"
    too_large: str = "select fewer layers, heads or tokens"

    def __post_init__(self) -> None:
        size = len(self.html.encode()) + 4 * len(self.png()) // 3
        if size > BUDGET:
            raise ViewError(
                f"this picture would put {size / 1e6:.1f} MB into the notebook, and an output may have "
                f"{BUDGET / 1e6:.0f} MB: {self.too_large}"
            )

    def png(self) -> bytes:
        """The static picture as a PNG, with 1.5 times as many pixels as CSS asks for."""
        return self.twin.png

    def svg(self) -> str:
        """The static picture as SVG, with the alternative text in it, for print and for slides."""
        head, body = self.twin.svg.split(">", 1)
        return f'{head} role="img" aria-label="{escape(self.alt)}">\n<title>{escape(self.title)}</title>{body}'

    @property
    def html(self) -> str:
        """One notebook output: the PNG, and in the same place, covering it, the frame with the page.

        Where scripts and frames are taken out (untrusted notebooks, GitHub, e-mail), the PNG is what is left.
        The page is transparent until it has drawn, so that the PNG is also what is left if it cannot; and on paper.
        It is a single line, because a blank line would end the HTML where Markdown is around it.
        """
        # With another color-scheme than its page's, a browser would paint the frame's background by itself.
        frame_style = (
            f"grid-area:1/1;width:100%;height:100%;min-height:{self.height}px;min-height:{self.fluid_height};"
            f"border:0;margin:0;color-scheme:{'light dark' if self.theme == 'auto' else self.theme}"
        )
        return (
            '<div style="display:grid;grid-template-columns:minmax(0,1fr);container-type:inline-size">'
            f'<img src="data:image/png;base64,{b64encode(self.png()).decode()}" alt="{escape(self.alt)}"'
            f' width="{self.twin.width}" style="grid-area:1/1;max-width:100%;height:auto;margin:0">'
            f'<iframe sandbox="allow-scripts" title="{escape(self.title)}" style="{frame_style}"'
            f' srcdoc="{escape(self.page).replace(chr(10), "&#10;")}"></iframe></div>'
        )

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to ``x.html`` (needs no network), ``x.png`` or ``x.svg``, and return where it is.

        Raises ViewError for any other ending.
        """
        path = Path(path)
        if path.suffix.lower() == ".png":
            path.write_bytes(self.png())
        elif path.suffix.lower() == ".svg":
            path.write_text(self.svg(), encoding="utf-8", newline="\n")
        elif path.suffix.lower() in (".html", ".htm"):
            path.write_text(self._document(), encoding="utf-8", newline="\n")
        else:
            raise ViewError(
                f"a view is saved as .html, .png or .svg, not as {path.suffix or 'a file without ending'!r}"
            )
        return path

    def _document(self) -> str:
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n</head>\n<body>\n{self.html}\n</body>\n</html>\n"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        # IPython filters by include and exclude itself.
        data = {"text/html": self.html, "image/png": b64encode(self.png()).decode(), "text/plain": self.summary}
        return data, {"image/png": {"alt": self.alt, "width": self.twin.width}}

    def __repr__(self) -> str:
        return self.summary
