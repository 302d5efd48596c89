"""HTML as a browser reads it: the text that it shows, and what it asks for from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser

_ANYWHERE = ("src", "srcset", "poster", "background")
_OF = {"object": ("data",), "link": ("href",), "image": ("href", "xlink:href"), "use": ("href", "xlink:href")}
_HERE = ("data:", "#", "about:")


def visible(html: str) -> str:
    """All text between the tags of ``html``."""
    return "".join(_Reader(html).texts)


def addresses(html: str) -> list[str]:
    """The addresses of pictures, frames, scripts and styles that are not in ``html`` itself, in their order.

    Without a network, and away from its folder, none of it is there.
    """
    return _Reader(html).addresses


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        asking = (*_ANYWHERE, *_OF.get(tag, ()))
        self.addresses += [
            value.strip() for name, value in attrs
            if name in asking and value and value.strip() and not value.strip().lower().startswith(_HERE)
        ]  # fmt: skip

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """`<![…>` is a comment to a browser; Python's own parser raises an AssertionError for some of them."""
        return self.parse_bogus_comment(i)
