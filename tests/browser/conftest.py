"""A real Chromium without a network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Opened:
    """A page, and everything that went wrong in it: errors, dialogs, and requests, all of which are refused."""

    def __init__(self, context: Any) -> None:
        self.problems: list[str] = []
        context.route("**/*", self._refuse)
        self.page = context.new_page()
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", self._dismiss)

    def _refuse(self, route: Any) -> None:
        if route.request.url.startswith("file:") and route.request.is_navigation_request():
            route.continue_()
        else:
            self.problems.append(f"asked the network for {route.request.url[:200]}")
            route.abort()

    def _dismiss(self, dialog: Any) -> None:
        self.problems.append(f"opened a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is. Without one, tests skip, or fail where COURSE_REQUIRE_BROWSER=1 says that it must be."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is not None:
        return path
    reason = f"no browser: none of {', '.join(_NAMES)} is on the PATH"
    if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, and COURSE_REQUIRE_BROWSER=1")
    pytest.skip(reason)


# One a module and not one a session: while Playwright runs, asyncio.run fails in every other test.
@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Any]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_file(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Opens a file of this disk: ``open_file(path, width=960, scheme="dark")``."""
    contexts = []

    def open_file(path: Path, *, width: int = 960, scheme: str = "light") -> Opened:
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        opened = Opened(context)
        opened.page.goto(path.as_uri())
        return opened

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture
def shown(request: pytest.FixtureRequest, tmp_path: Path, open_file: Callable[..., Opened]) -> Callable[..., Any]:
    """Saves a view, opens it, waits until it is drawn: (the frame, the whole page with its problems).

    What must be there then is the test module's DRAWN.
    """

    def show(view: Any, **settings: Any) -> tuple[Any, Opened]:
        opened = open_file(view.save(tmp_path / "view.html"), **settings)
        frame = opened.page.frames[1]
        frame.wait_for_selector(request.module.DRAWN, state="attached")
        return frame, opened

    return show


LESSON = """\
# ---
# title: {title}
# minutes: 5
# objectives:
#   - {objective}
# prerequisites: []
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %% [markdown]
# A formula, $\\\\sqrt{{d}}$.

# %%
import course
from course import claim, exercise
from course.ranking import Ranked, Ranking
from tests.views.synthetic import HOSTILE, attention

course.head_view(attention(queries=HOSTILE[:12]))

# %%
course.model_view(attention(queries=HOSTILE[12:24], model=HOSTILE[0]))

# %%
before, after = (attention(queries=HOSTILE[:12], model=HOSTILE[0], seed=seed) for seed in (0, 1))
course.diff_view(course.diff(before, after))

# %%
from tests.views.projected import projected

course.neuron_view(projected(queries=HOSTILE[12:24], model=HOSTILE[0]))

# %%
print("\\n".join(HOSTILE[:24]))
claim(HOSTILE[2], True)
Ranking(tuple(Ranked(text, 0.5) for text in HOSTILE[:24]), HOSTILE[3], HOSTILE[4], True, 24)

# %% exercise="1.1"
count = ...

# %%
with exercise("1.1", count) as answer:
    assert answer != 2, HOSTILE[0]
    assert answer == 3, HOSTILE[1]
"""

SOLUTION = """\
# %% exercise="1.1"
count = 1 + 2

# %% wrong="1.1" advice="onerror"
count = 2

# %% wrong="1.1" advice="script"
count = 4
"""


@pytest.fixture(scope="session")
def built_course(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A course of one lesson, built for real, in which everything that can be typed is hostile."""
    from course.building.assemble import build
    from tests.building.conftest import Course
    from tests.views.synthetic import HOSTILE

    course = Course(tmp_path_factory.mktemp("hostile"), "01_hostile")
    texts = {"title": json.dumps(HOSTILE[6]), "objective": json.dumps(f"{HOSTILE[1]} (1.1)")}
    for path, text in ((course.lesson, LESSON.format(**texts)), (course.solution, SOLUTION)):
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # the lesson borrows the tests' records
        report = build(course.root, say=lambda _line: None)
    assert report.passed, report.markdown()
    return course
