"""A view in a notebook, in the formats that notebooks are passed on in."""

from __future__ import annotations

from base64 import b64encode

import nbformat
import pytest
from nbconvert import HTMLExporter, LatexExporter, MarkdownExporter, SlidesExporter

from course.views import head_view, model_view
from tests.views.synthetic import PAIR, attention
from tests.views.test_view import Elements


@pytest.fixture(scope="module", params=[head_view, model_view], ids=["head_view", "model_view"])
def view(request):
    return request.param(attention(2, 3, PAIR, second=6))


@pytest.fixture(scope="module")
def notebook(view):
    data, metadata = view._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("view", outputs=[output], id="view")])


def pictures(text, view):
    """How often the static picture is in a text, and the alternative texts of it."""
    src = f"data:image/png;base64,{b64encode(view.png()).decode()}"
    images = [attributes for tag, attributes in Elements(text).tags if tag == "img"]
    return text.count(src), [image["alt"] for image in images if image["src"] == src]


@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter, MarkdownExporter])
def test_page_and_picture_are_in_the_output_once(exporter, notebook, view):
    text, _ = exporter().from_notebook_node(notebook)
    assert pictures(text, view) == (1, [view.alt])
    assert text.count("<iframe") == text.count("srcdoc=") == 1
    if exporter is MarkdownExporter:  # a blank line would end the HTML
        assert "\n\n" not in text[text.index("<iframe") : text.index("</iframe>")]


def test_latex_takes_the_picture(notebook, view):
    text, resources = LatexExporter().from_notebook_node(notebook)
    assert list(resources["outputs"].values()) == [view.png()]
    (name,) = resources["outputs"]
    assert text.count(name) == 1
    assert "iframe" not in text


def test_text_alone_has_the_summary(notebook, view):
    text, _ = MarkdownExporter(config={"NbConvertBase": {"display_data_priority": ["text/plain"]}}).from_notebook_node(
        notebook
    )
    assert view.title in text
    assert "Most focused of all" in text
