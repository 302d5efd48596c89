"""A trial in another process: libraries that raise, exit, crash, hang or chatter, and what is wrong after them."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from PIL import Image

import course
from course.doctor import trial as home
from course.doctor.trial import LIBRARIES, trial
from tests import tiny


@pytest.fixture
def libraries(monkeypatch, tmp_path):
    """Empty libraries in place of the real ones; give torch its source."""

    def libraries(source: str):
        for name in LIBRARIES:
            (tmp_path / f"{name}.py").write_text(source if name == "torch" else "")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return libraries


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise OSError('libtorch.so cannot be found')\n", "cannot be imported (OSError: libtorch.so cannot be found)"),
        ("raise SystemExit(3)\n", "cannot be imported (SystemExit: 3)"),
        ("import os; os.abort()\n", "Python died (SIGABRT)"),
        ("import os; os._exit(7)\n", "Python stopped with exit code 7"),
        ("import os; os._exit(0)\n", "Python stopped with exit code 0"),
        ("this is no Python\n", "cannot be imported (SyntaxError"),
    ],
)
def test_a_torch_that_cannot_be_imported_is_one_line_with_advice(libraries, source, says):
    libraries(source)
    (found,) = trial()
    assert (found.name, found.status) == ("torch", "failed") and says in found.says
    assert "pip install --force-reinstall --no-deps torch" in found.advice


def test_a_library_that_hangs_is_said(libraries):
    libraries("import time; time.sleep(600)\n")
    (found,) = trial(patience=15)
    assert found.status == "failed" and "not done after 15 seconds" in found.says


def test_chatter_on_import_disturbs_nothing_and_empty_libraries_are_found_out(libraries):
    libraries("import os; print('hello'); os.write(1, b'{}\\n')\n")
    found = {one.name: one for one in trial()}
    assert found["imports"].status == "passed" and found["model"].status == "failed"
    assert found["picture"].says == "not tried, without a model"


def test_a_wrong_attention_is_found_out(monkeypatch):
    model = tiny.bert()
    monkeypatch.setattr(course, "load", lambda _role: model, raising=False)
    attention: list = []
    assert home._model(attention).status == "passed" and len(attention) == 1
    wrong = course.attend(model, "the cat sat")
    object.__setattr__(wrong, "weights", wrong.weights.roll(1, -1))
    monkeypatch.setattr(course, "attend", lambda _model, _text: wrong, raising=False)
    assert "wrong attention" in home._model([]).says


@pytest.mark.parametrize(("colour", "status"), [("white", "failed"), (None, "passed")])
def test_a_blank_picture_is_found_out(monkeypatch, colour, status):
    attention = course.attend(tiny.bert(), "the cat sat")
    if colour:
        file = io.BytesIO()
        Image.new("RGB", (40, 20), colour).save(file, "PNG")
        view = SimpleNamespace(png=file.getvalue)
        monkeypatch.setattr(course, "head_view", lambda *_args, **_options: view, raising=False)
    assert home._picture([attention]).status == status


def test_more_threads_than_cores_are_noted(monkeypatch):
    monkeypatch.setattr(home, "usable_cores", lambda: 0)
    found = home._threads()
    assert found.status == "noted" and "OMP_NUM_THREADS=0" in found.advice


def test_an_error_of_a_model_brings_its_own_advice():
    def attempt():
        raise course.ModelError("minilm (shipped): the package is not installed; pip install it")

    found = home._tried("model", attempt)
    assert (found.says, found.advice) == ("minilm (shipped): the package is not installed", "pip install it")
