"""✓, ○ or ✗ with a hint: never a stack trace, never ✓ for nothing.

PYTEST_DONT_REWRITE: pytest would add its own words to the hints.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course.exercises import MIME, claim, exercise


def said(capsys) -> str:
    return capsys.readouterr().out.strip()


def check(answer, capsys) -> str:
    with exercise("1.1", answer) as value:
        assert value != 4, "Four is too many."
        assert value == 3, "Count again."
    return said(capsys)


def test_right_wrong_and_not_answered(capsys):
    assert check(3, capsys) == "✓ 1.1"
    assert check(4, capsys) == "✗ 1.1  Four is too many."
    assert check(..., capsys).startswith("○ 1.1  Not answered yet")


@pytest.mark.parametrize("stub", [..., (..., ...), (1, ...), [...], {"a": ...}])
def test_parts_of_an_answer_can_be_missing(stub, capsys):
    with exercise("1.1", stub) as value:
        assert value[0] > 0, "hint"
    assert said(capsys).startswith("○")


def test_a_stub_can_be_unpacked(capsys):
    with exercise("1.1", (..., ...)) as (layer, head):
        assert layer < head, "hint"
    assert said(capsys).startswith("○")


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1, lambda x: 1 + x, lambda x: x[0], lambda x: torch.zeros(3)[x], lambda x: torch.zeros(3) + x,
        lambda x: np.zeros(3) + x, lambda x: len(x), lambda x: list(x), lambda x: float(x), lambda x: x.shape,
        lambda x: x(1), lambda x: not x, lambda x: x == x, lambda x: x != 1, lambda x: {x}, lambda x: 1 in x,
        lambda x: torch.allclose(x, torch.zeros(1)), lambda x: isinstance(x.dtype, str), lambda x: abs(x) < 1,
        lambda x: x @ torch.zeros(2), lambda x: -x, lambda x: [1, 2][x],
    ],
)  # fmt: skip
def test_whatever_a_check_does_with_a_stub_it_is_not_answered(use, capsys):
    reached = []
    with exercise("1.1", ...) as value:
        use(value)
        reached.append("past the answer")
    assert said(capsys).startswith("○ 1.1") and not reached


def test_a_function_that_still_returns_dots_is_not_answered(capsys):
    def stub(_x):
        return ...

    with exercise("1.1", stub) as answer:
        assert answer(1) == 2, "hint"
    assert said(capsys).startswith("○")


def test_a_function_that_forgets_to_return_is_told(capsys):
    def forgetful(x):
        _ = x + 1

    with exercise("1.1", forgetful) as answer:
        assert answer(1) == 2, "hint"
    assert said(capsys) == "✗ 1.1  forgetful returned None: is a return missing at its end?"


def test_an_error_in_an_answer_becomes_one_line_with_the_line_that_raised(capsys):
    def broken(x):
        return x.shap

    with exercise("1.1", broken) as answer:
        assert answer(torch.zeros(1)) == 2, "hint"
    assert said(capsys) == (
        "✗ 1.1  Running your answer raised AttributeError at the line `return x.shap`: "
        "'Tensor' object has no attribute 'shap'"
    )


def test_an_assertion_inside_the_answer_is_shown_too(capsys):
    with exercise("1.1", 1):
        raise AssertionError
    assert said(capsys) == "✗ 1.1  This is not right yet."


def test_an_interrupt_is_not_an_answer():
    with pytest.raises(KeyboardInterrupt), exercise("1.1", 3):
        raise KeyboardInterrupt


@pytest.mark.parametrize("true", [True, np.bool_(True), torch.tensor(True), torch.tensor([1])])
def test_a_claim_that_holds(true, capsys):
    claim("it holds", true)
    assert said(capsys) == "✓ it holds"


@pytest.mark.parametrize("false", [False, torch.tensor(0.5) > 0.6, float("nan") > 0, None])
def test_a_claim_that_does_not_hold_says_so(false, capsys):
    claim("it holds", false)
    assert said(capsys) == "✗ it holds  This does not hold for the model and the input used here."


@pytest.mark.parametrize("many", [torch.tensor([True, False]), np.array([True, True])])
def test_a_claim_takes_one_truth_value(many):
    with pytest.raises(TypeError, match=r"use \.all\(\) or \.any\(\)"):
        claim("which", many)


@pytest.fixture
def notebook(monkeypatch):
    shell = InteractiveShell.instance()
    shell.kernel = object()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    yield shell
    InteractiveShell.clear_instance()


def test_in_a_notebook_the_outcome_is_data_html_and_text(notebook):
    with capture_output() as captured, exercise("<b>", 4) as value:
        assert value == 3, "1 < 2"
    (bundle,) = [output.data for output in captured.outputs]
    assert bundle[MIME]["status"] == "failed" and bundle[MIME]["hint"] == "1 < 2" and bundle[MIME]["key"] == "<b>"
    assert bundle[MIME]["line"] > 0 and bundle["text/plain"] == "✗ <b>  1 < 2"
    assert "<b>" not in bundle["text/html"] and "1 &lt; 2" in bundle["text/html"]


def test_a_check_that_never_looks_at_a_stub_is_marked_for_the_build(notebook):
    with capture_output() as captured, exercise("1.1", ...):
        assert True, "hint"
    (bundle,) = [output.data for output in captured.outputs]
    assert bundle[MIME]["vacuous"] is True
