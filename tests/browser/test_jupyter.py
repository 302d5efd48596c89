"""The notebooks as a student and a teacher open them, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass(frozen=True)
class Application:
    """What serves notebooks: its module, its class's name in settings, and where it shows one."""

    module: str
    settings: str
    place: str


LAB = Application("jupyterlab", "LabApp", "lab/tree")
NOTEBOOK = Application("notebook", "JupyterNotebookApp", "notebooks")


@pytest.fixture(scope="module", params=[LAB, NOTEBOOK], ids=lambda application: application.module)
def application(request):
    return request.param


@pytest.fixture(scope="module")
def environment(application, tmp_path_factory):
    """A home of its own for each application, so that one does not trust what another was told to."""
    base = tmp_path_factory.mktemp(f"{application.module}-home")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return os.environ | {name: str(base / name) for name in names} | {"HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def served(application, built_course, environment, tmp_path_factory):
    """The address under which a running application shows the notebooks of the built course."""
    log = tmp_path_factory.mktemp(application.module) / "log.txt"
    command = [
        sys.executable, "-m", application.module, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0", "--IdentityProvider.token=test", f"--{application.settings}.expose_app_in_browser=True",
        "--LabApp.news_url=", f"--ServerApp.root_dir={built_course.root / 'build'}",
    ]  # fmt: skip
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as server:
        try:
            deadline = time.monotonic() + 60
            while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text())):
                assert time.monotonic() < deadline and server.poll() is None, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{found.group(1)}", application.place
        finally:
            server.terminate()


@pytest.fixture
def open_notebook(served, chromium):
    address, place = served
    contexts = []

    def open_notebook(path):
        context = chromium.new_context(viewport={"width": 1300, "height": 1000})
        contexts.append(context)
        context.route(
            "**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort()
        )
        page = context.new_page()
        page.goto(f"{address}/{place}/{path}?token=test&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        return page

    yield open_notebook
    for context in contexts:
        context.close()


def drawn(page):
    """The number of interactive pictures, each of which has been scrolled to and has drawn itself."""
    frames = page.locator(".jp-OutputArea iframe")
    frames.first.wait_for(state="attached", timeout=60_000)
    for i in range(frames.count()):
        frames.nth(i).scroll_into_view_if_needed(timeout=30_000)
        frames.nth(i).content_frame.locator("html.drawn").wait_for(state="attached", timeout=30_000)
    return frames.count()


def test_an_untrusted_solution_shows_the_picture_once(open_notebook):
    page = open_notebook("solutions/01_hostile.ipynb")
    picture = page.locator(".jp-OutputArea img[alt]").first
    picture.scroll_into_view_if_needed()
    assert page.locator(".jp-OutputArea iframe").count() == 0
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100 && image.clientWidth > 100")
    outputs = page.locator(".jp-OutputArea").filter(has=page.locator("img"))
    assert outputs.first.locator("img").count() == 1
    assert page.evaluate("window.pwned === undefined")


def test_a_trusted_solution_draws_the_interactive_picture(built_course, environment, open_notebook):
    notebook = built_course.root / "build" / "solutions" / "01_hostile.ipynb"
    subprocess.run([sys.executable, "-m", "jupyter", "trust", str(notebook)], env=environment, check=True)
    page = open_notebook("solutions/01_hostile.ipynb")
    assert drawn(page) == 4
    assert page.get_by_text("✓").count() >= 1
    page.reload()
    assert drawn(page) == 4
    assert all(frame.evaluate("window.pwned === undefined") for frame in page.frames)


def test_a_student_runs_all_cells_and_is_told_what_to_do(open_notebook):
    page = open_notebook("student/01_hostile.ipynb")
    kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=60_000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    told = page.locator("[role=status]").filter(has_text="Not answered yet")
    told.first.wait_for(timeout=90_000)
    assert told.count() == 1 and "○" in told.inner_text()
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.locator(".jp-OutputArea iframe").first.scroll_into_view_if_needed()
    frame = page.locator(".jp-OutputArea iframe").first.content_frame
    frame.locator("html.drawn #vis line").first.wait_for(state="attached", timeout=30_000)
    assert page.evaluate("window.pwned === undefined")
