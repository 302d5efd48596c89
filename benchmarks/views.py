"""The views beside bertviz's own, on the same tensors: bytes, time to make them, and time until Chromium has drawn.

Both sides run in turn, in one go. The tensors are softmax of random numbers with the sharpness of a trained model's
(attention is mostly small numbers). Our HTML has the page and its PNG; a notebook also stores the PNG by itself, for
formats that take no HTML, while bertviz has none: both sizes are printed. bertviz's pages get d3, and what they use of
jQuery, from this package instead of from a network. A time in Chromium is from opening the file until all lines (or all
heat maps) are there and two frames have been painted. At last, the grid's own interaction: how long a frame takes while
the mouse moves over an opened head. Printed: both sides, and their ratio.

    python benchmarks/views.py [--rounds 3] [--without-browser]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bertviz
import torch

import course
from course.tokens import Tokens
from course.views import View
from course.views.libraries import LIBRARIES, own_file

PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
HOVER = """async () => {
    const target = document.querySelector('.sheet');
    const box = document.querySelector('canvas.cells').getBoundingClientRect();
    const readouts = new Set();
    const times = [];
    for (let i = 0; i < 60; i++) {
        const at = { clientX: box.left + 5 + (box.width - 10) * ((i * 37) % 60) / 60,
                     clientY: box.top + 5 + (box.height - 10) * i / 60, bubbles: true };
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        target.dispatchEvent(new PointerEvent('pointermove', at));
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
        readouts.add(document.querySelector('.readout').textContent);
    }
    if (readouts.size < 30) throw new Error('the numbers did not follow the mouse');
    return times;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each time is taken (default: 3)")
    parser.add_argument("--without-browser", action="store_true", help="only bytes and the time to make a page")
    given = parser.parse_args()
    print(f"{'what':52} {'bertviz':>12} {'course':>12} {'ratio':>8}")
    show_bytes("bytes, model view 12×12×32", 12, 32)
    show_bytes("bytes, model view 12×12×128, a pair", 12, 128, second=64)
    show_making("time to make the page, model view 12×12×128", 12, 128, given.rounds)
    if not given.without_browser:
        in_chromium(given.rounds)


def show_bytes(name: str, layers: int, tokens: int, *, second: int | None = None) -> None:
    att = attention(layers, 12, tokens, second)
    view, theirs = course.model_view(att), len(bertviz_page(att, second).encode())
    for what, ours in ((name, len(view.html.encode())), ("  the same, with the PNG a second time", stored(view))):
        print(f"{what:52} {theirs / 1e6:9.2f} MB {ours / 1e6:9.2f} MB {theirs / ours:7.1f}×")


def show_making(name: str, layers: int, tokens: int, rounds: int) -> None:
    att = attention(layers, 12, tokens)
    course.model_view(att)  # once, for what is imported late
    pairs = [
        (seconds(lambda: bertviz_page(att)), seconds(lambda: stored(course.model_view(att)))) for _ in range(rounds)
    ]
    show_times(name, pairs)


def in_chromium(rounds: int) -> None:
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("no chromium on the PATH: install it, or give --without-browser")
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        model, head = attention(12, 12, 64), attention(12, 12, 128)
        cases = (
            (
                "open to drawn, model view 12×12×64",
                model,
                bertviz_page(model),
                course.model_view(model),
                12 * 12 * 64**2,
            ),
            (
                "open to drawn, head view 12×12×128",
                head,
                bertviz_page(head, view="head"),
                course.head_view(head),
                12 * 128**2,
            ),
        )
        for name, _, theirs, ours, lines in cases:
            pages = Path(folder) / "bertviz.html", ours.save(Path(folder) / "course.html")
            pages[0].write_text(f"<!DOCTYPE html><meta charset=utf-8>{theirs}", encoding="utf-8")
            pairs = [(opened(browser, pages[0], lines), opened(browser, pages[1], 0)) for _ in range(rounds)]
            show_times(name, pairs)
        show_hovering(browser, Path(folder))
        browser.close()


def opened(browser: Any, path: Path, lines: int) -> float:
    """Seconds from opening a file until its picture is drawn; ``lines`` are bertviz's, 0 for a page of ours."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    start = time.perf_counter()
    page.goto(path.as_uri(), timeout=300_000)
    if lines:
        drawn = f"() => document.getElementsByTagName('line').length >= {lines}"
        page.wait_for_function(drawn, polling=50, timeout=300_000)
        page.evaluate(PAINTED)
    else:
        frame = page.frames[1]
        frame.wait_for_selector("html.drawn", state="attached", timeout=300_000)
        frame.evaluate(PAINTED)
    elapsed = time.perf_counter() - start
    page.close()
    return elapsed


def show_hovering(browser: Any, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.goto(course.model_view(attention(12, 12, 128)).save(folder / "grid.html").as_uri())
    frame = page.frames[1]
    frame.wait_for_selector("html.drawn", state="attached", timeout=60_000)
    frame.locator("[role=gridcell]").first.press("Enter")
    frame.evaluate(PAINTED)
    times = frame.evaluate(HOVER)
    print(
        f"hovering over an open head, grid 12×12×128: median {statistics.median(times):.1f} ms a frame, "
        f"largest {max(times):.1f} ms"
    )
    page.close()


def show_times(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:52} {theirs:10.2f} s {ours:10.2f} s {theirs / ours:7.1f}×")


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def attention(layers: int, heads: int, tokens: int, second: int | None = None) -> course.Attention:
    """Softmax of random numbers; every row has a few large weights."""
    draw = torch.Generator().manual_seed(0)
    weights = (3 * torch.randn(layers, heads, tokens, tokens, generator=draw)).softmax(-1)
    texts = tuple(f"token{i}" for i in range(tokens))
    segments = tuple(int(second is not None and i >= second) for i in range(tokens))
    sources = ("first",) if second is None else ("first", "second")
    named = Tokens(texts, texts, (False,) * tokens, segments, (None,) * tokens, tuple(range(tokens)), sources)
    return course.Attention(weights, named, named, "self", "random")


def bertviz_page(att: course.Attention, second: int | None = None, *, view: str = "model") -> str:
    layers = [layer.unsqueeze(0) for layer in att.weights]
    draw = bertviz.model_view if view == "model" else bertviz.head_view
    page: str = draw(layers, list(att.queries), second, html_action="return").data
    libraries = "".join(f"<script>{own_file(name)}</script>" for name in LIBRARIES)
    before, after = page.split("</script>", 1)
    if "require.min.js" not in before:
        raise SystemExit("bertviz's page does not begin with require.js, as that of 1.4.1 does")
    return f"{libraries}{after}<script>bertviz(jQuery, d3)</script>"


def stored(view: View) -> int:
    """Bytes of a notebook's output."""
    return len(view.html.encode()) + len(b64encode(view.png()))


if __name__ == "__main__":
    main()
