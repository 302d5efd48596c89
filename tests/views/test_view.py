import io
import re
from dataclasses import FrozenInstanceError, replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from PIL import Image

from course.views import View, ViewError, head_view, model_view
from course.views.view import BUDGET
from tests.views.synthetic import HOSTILE, PAIR, attention, encoder_decoder


class Elements(HTMLParser):
    """Every start tag with its attributes, and every comment or declaration, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.other: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_comment(self, data):
        self.other.append(data)

    def unknown_decl(self, data):
        self.other.append(data)

    def handle_pi(self, data):
        self.other.append(data)

    @property
    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


@pytest.fixture(scope="module")
def view() -> View:
    return head_view(attention(2, 4))


def test_output_is_picture_then_frame(view):
    found = Elements(view.html)
    assert found.names == ["div", "img", "iframe"]
    image, frame = found.tags[1][1], found.tags[2][1]
    assert image["alt"] == view.alt
    assert image["src"].startswith("data:image/png;base64,")
    assert frame["srcdoc"] == view.page
    assert frame["sandbox"] == "allow-scripts"
    assert frame["title"] == view.title


def test_output_is_one_line(view):
    assert "\n" not in view.html


def test_notebook_gets_html_picture_and_words(view):
    data, metadata = view._repr_mimebundle_()
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/html"] == view.html
    assert data["text/plain"] == view.summary == repr(view)
    assert metadata["image/png"]["alt"] == view.alt


@pytest.mark.parametrize("name", ["x.html", "x.HTM", "x.png", "x.svg"])
def test_saving(view, tmp_path, name):
    path = view.save(tmp_path / name)
    if path.suffix == ".png":
        assert path.read_bytes() == view.png()
    elif path.suffix == ".svg":
        assert path.read_text(encoding="utf-8") == view.svg()
    else:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert view.html in text


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.html.zip"])
def test_saving_as_something_else_is_refused(view, tmp_path, name):
    with pytest.raises(ViewError, match=r"\.html, \.png or \.svg"):
        view.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_view_is_frozen(view):
    with pytest.raises(FrozenInstanceError):
        view.title = "other"


def test_picture_is_a_png_and_not_blank(view):
    for shown in (view, model_view(attention(2, 4))):
        image = Image.open(io.BytesIO(shown.png()))
        image.load()
        assert image.format == "PNG"
        assert image.info.keys() <= {"transparency", "dpi"}  # no dates, no names of programs
        colours = image.convert("RGB").getcolors(1 << 24)
        assert len(colours) > 10
        assert max(count for count, _ in colours) < 0.97 * image.width * image.height


def test_output_above_the_budget_is_refused_with_its_size(view):
    with pytest.raises(ViewError, match=r"would put 5\.\d MB .* may have 4 MB: take less"):
        replace(view, page="x" * (BUDGET + BUDGET // 4), too_large="take less")


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_svg_is_one_picture_that_says_what_it_shows(draw):
    view = draw(attention(2, 4, PAIR, model="</title><script>alert(1)</script>"))
    root = ElementTree.fromstring(view.svg())
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.attrib["aria-label"] == view.alt
    assert root[0].tag == f"{space}title"
    assert root[0].text == view.title
    assert int(root.attrib["width"]) == view.twin.width
    assert len(list(root.iter(f"{space}path"))) > 40
    assert not list(root.iter(f"{space}script"))
    links = [value for one in root.iter() for name, value in one.attrib.items() if name.endswith("href")]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)


@pytest.mark.parametrize("tokens", [HOSTILE[:18], HOSTILE[18:]])
def test_hostile_tokens_add_no_element_to_the_svg(tokens):
    for draw in (head_view, model_view):
        plain, hostile = (
            draw(attention(1, 2, words, model=words[0])).svg() for words in (("a",) * len(tokens), tokens)
        )
        tags = [{one.tag for one in ElementTree.fromstring(text).iter()} for text in (plain, hostile)]
        assert tags[0] == tags[1]
        assert not re.search(r"<!|<\?", hostile)


PAGE_TAGS = ["html", "head", "meta", "meta", "meta", "title", "style", "body", "h1", "main", "div", "aside"]


def page_tags(page):
    """The elements of a page in order, with as many paragraphs as it has: the legend before or after the picture."""
    legend = ["aside", *["p"] * page.count("<p>")]
    main = [*legend, "div"] if '<body class="above">' in page else ["div", *legend]
    return [*PAGE_TAGS[:-2], *main, "script", "script"]


@pytest.mark.parametrize("draw", [head_view, model_view])
@pytest.mark.parametrize("tokens", [HOSTILE[:18], HOSTILE[18:]])
def test_hostile_tokens_add_no_element(draw, tokens):
    pair = attention(1, 2, tokens, second=5, model=f"model {HOSTILE[0]}")
    three = encoder_decoder(1, 1, 2, source=tokens, target=(*tokens[::-1], "end"))
    for view in (draw(pair), draw(pair, show="A→B"), draw(three), draw(three, show="cross")):
        outer = Elements(view.html)
        assert outer.names == ["div", "img", "iframe"]
        assert set(outer.tags[1][1]) == {"src", "alt", "width", "style"}
        assert set(outer.tags[2][1]) == {"sandbox", "title", "style", "srcdoc"}
        inner = Elements(outer.tags[2][1]["srcdoc"])
        assert inner.names == page_tags(view.page)
        assert inner.other == []
        view.html.encode()  # no lone surrogates
        assert all(line.isprintable() for line in view.summary.splitlines())
        assert view.alt.isprintable()
        assert view.title.isprintable()


def test_saved_document_escapes_its_title(tmp_path):
    view = head_view(attention(1, 2, PAIR, model="</title><script>alert(1)</script>"))
    found = Elements(view.save(tmp_path / "x.html").read_text(encoding="utf-8"))
    assert found.names == ["html", "head", "meta", "meta", "title", "body", "div", "img", "iframe"]
