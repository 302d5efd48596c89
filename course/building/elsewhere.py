"""What HTML asks for from elsewhere: without a network, and away from its folder, none of it is there."""

from __future__ import annotations

from html.parser import HTMLParser

_ANYWHERE = ("src", "srcset", "poster", "background")
_OF = {"object": ("data",), "link": ("href",), "image": ("href", "xlink:href"), "use": ("href", "xlink:href")}
_HERE = ("data:", "#", "about:")


def addresses(html: str) -> list[str]:
    """The addresses of pictures, frames, scripts and styles that are not in ``html`` itself, in their order."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        asking = (*_ANYWHERE, *_OF.get(tag, ()))
        self.found += [
            value.strip() for name, value in attrs
            if name in asking and value and value.strip() and not value.strip().lower().startswith(_HERE)
        ]  # fmt: skip
