"""What of a view comes out on paper: the static picture, once and whole, and nothing of the page over it."""

import io
import re

import nbformat
import numpy as np
import pytest
from PIL import Image

from course.differences.attention_diff import diff
from course.views import diff_view, head_view, model_view
from course.views.neurons import neuron_view
from tests.views.projected import projected
from tests.views.synthetic import PAIR, attention

pytestmark = pytest.mark.browser

DRAWN = "html.drawn"
DRAW = {
    "head": lambda theme: head_view(attention(2, 4), theme=theme),
    "model": lambda theme: model_view(attention(6, 12, PAIR, second=6), theme=theme),
    "diff": lambda theme: diff_view(diff(attention(2, 12, seed=1), attention(2, 12, seed=2)), theme=theme),
    "neuron": lambda theme: neuron_view(projected(2, 2), theme=theme),
}


PAINTED = """async () => {
    while (!matchMedia('print').matches || innerWidth > 720) await new Promise(requestAnimationFrame);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def on_paper(page):
    """The pixels where the static picture is, as they would be printed, at the width of a sheet."""
    page.set_viewport_size({"width": 720, "height": 900})
    page.emulate_media(media="print")
    for frame in page.frames:
        frame.evaluate(PAINTED)
    return np.asarray(Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB"))


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", DRAW)
def test_the_picture_is_seen_on_paper_and_nothing_of_the_page(shown, name, theme, scheme):
    frame, opened = shown(DRAW[name](theme), scheme=scheme)
    covered = on_paper(opened.page)
    assert frame.locator("html.drawn").count() == 1
    opened.page.evaluate("document.querySelector('iframe').remove()")
    alone = on_paper(opened.page)
    assert covered.shape == alone.shape and len(np.unique(alone)) > 50
    assert np.array_equal(covered, alone)
    assert opened.problems == []


def test_webpdf_has_each_picture_once(chromium_path, monkeypatch):
    async_api = pytest.importorskip("playwright.async_api")
    from nbconvert import WebPDFExporter

    launch = async_api.BrowserType.launch

    async def launch_ours(self, **settings):
        return await launch(self, executable_path=chromium_path, **settings)

    monkeypatch.setattr(async_api.BrowserType, "launch", launch_ours)
    views = [draw("auto") for draw in DRAW.values()]
    cells = []
    for i, view in enumerate(views):
        data, metadata = view._repr_mimebundle_()
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        cells.append(nbformat.v4.new_code_cell("view", outputs=[output], id=f"cell-{i}"))
    pdf, _ = WebPDFExporter(disable_sandbox=True).from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    assert pdf.startswith(b"%PDF")
    found = re.findall(rb"/Subtype /Image\s/Width (\d+)\s/Height (\d+)", pdf)
    sizes = [Image.open(io.BytesIO(view.png())).size for view in views]
    assert [tuple(map(int, size)) for size in found] == sizes
