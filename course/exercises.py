"""exercise() and claim(): checks that answer back, to the student in words and to the build in data."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from html import escape
from types import TracebackType
from typing import Any

MIME = "application/vnd.attention-course.outcome+json"
"""The MIME type of an outcome in a notebook's output: a JSON object with kind, key or text, status, line."""

_SYMBOLS = {"passed": "✓", "unanswered": "○", "failed": "✗"}
_COLOURS = {"passed": "#1b7f4d", "unanswered": "#6b7280", "failed": "#b45309"}


class _NotAnsweredError(Exception):
    """Raised inside a check when the answer is still the stub."""


def exercise(key: str, answer: Any) -> _Check:
    """Check an answer and say ✓ (right), ○ (not answered yet) or ✗ with a hint; never a stack trace.

    The answer is not answered while it is ``...`` or a function that returns ``...``. The check is the body
    of the with statement: asserts whose messages are the hints.

    >>> best_head = 3
    >>> with exercise("1.1", best_head) as head:
    ...     assert head > 0, "Heads count from 0; look for one further right."
    ✓ 1.1
    """
    return _Check(key, answer)


def claim(text: str, holds: Any) -> None:
    """Say what the lesson says, and whether it is true of the model at hand.

    ``holds`` is one truth value (a bool, or a tensor or array with one element). A claim that does not hold
    is shown with ✗, and fails the build.

    >>> claim("two and two are four", 2 + 2 == 4)
    ✓ two and two are four
    """
    try:
        status = "passed" if bool(holds) else "failed"
    except (RuntimeError, ValueError) as error:
        raise TypeError("a claim needs one truth value; for several use .all() or .any()") from error
    note = "" if status == "passed" else "This does not hold for the model and the input used here."
    _tell(
        {"kind": "claim", "text": text, "status": status, "hint": note, "line": sys._getframe(1).f_lineno},
        text,
    )


class _Check:
    def __init__(self, key: str, answer: Any) -> None:
        self.key = key
        self.unanswered = _is_stub(answer)
        self.answer = _Guarded(answer) if callable(answer) else answer
        self.line = 0

    def __enter__(self) -> Any:
        self.line = sys._getframe(1).f_lineno
        return _Stub() if self.unanswered else self.answer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False  # Ctrl-C and the like are not an answer
        status, hint = self._judge(error)
        outcome: dict[str, Any] = {"kind": "exercise", "key": self.key, "status": status, "hint": hint}
        if self.unanswered and error is None:
            outcome["vacuous"] = True  # the check never looked at the answer: the build refuses such a lesson
        _tell({**outcome, "line": self.line}, self.key)
        return True

    def _judge(self, error: Exception | None) -> tuple[str, str]:
        if self.unanswered or isinstance(error, _NotAnsweredError):
            return (
                "unanswered",
                "Not answered yet: replace the … in the cell above, run it, then run this cell again.",
            )
        if error is None:
            return "passed", ""
        if isinstance(error, AssertionError):
            return "failed", str(error) or "This is not right yet."
        return "failed", _advice(error)


class _Stub:
    """Stands for an answer that was not given; whatever a check does with it ends the check."""

    def _stop(self, *_args: Any, **_kwargs: Any) -> Any:
        raise _NotAnsweredError

    __bool__ = __call__ = __contains__ = __float__ = __getitem__ = __index__ = __int__ = __iter__ = __len__ = _stop
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _stop
    __matmul__ = __rmatmul__ = __neg__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = _stop
    __eq__ = __ne__ = _stop
    __hash__ = _stop  # type: ignore[assignment]
    __array__ = _stop

    @classmethod
    def __torch_function__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise _NotAnsweredError

    def __getattr__(self, _name: str) -> Any:
        raise _NotAnsweredError


class _Guarded:
    """A student's function: a returned ``...`` means that it is still the stub."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        if _is_stub(result):
            raise _NotAnsweredError
        if result is None:
            name = getattr(self.function, "__name__", "your function")
            raise AssertionError(f"{name} returned None: is a return missing at its end?")
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)


def _is_stub(answer: Any) -> bool:
    if isinstance(answer, dict):
        return any(_is_stub(value) for value in answer.values())
    if isinstance(answer, (tuple, list)):
        return any(_is_stub(value) for value in answer)
    return answer is Ellipsis


def _advice(error: Exception) -> str:
    """What went wrong in the student's code, in a line: the error, and the line that raised it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    line = next((frame.line for frame in reversed(frames) if "site-packages" not in frame.filename and frame.line), "")
    where = f" at the line `{line}`" if line else ""
    return (
        f"Running your answer raised {type(error).__name__}{where}: {str(error).splitlines()[0] if str(error) else ''}"
    )


def _tell(outcome: dict[str, Any], subject: str) -> None:
    """Show the outcome: as rich output with its data in a notebook, as a line elsewhere."""
    symbol, hint = _SYMBOLS[outcome["status"]], outcome["hint"]
    line = f"{symbol} {subject}" + (f"  {hint}" if hint else "")
    if not _in_notebook():
        print(line)
        return
    from IPython.display import display

    colour = _COLOURS[outcome["status"]]
    html = (
        f'<div role="status" style="border-left:4px solid {colour};padding:.2em .8em;margin:.3em 0">'
        f'<strong style="color:{colour}">{symbol}</strong> {escape(subject)}'
        + (f" – {escape(hint)}" if hint else "")
        + "</div>"
    )
    display({MIME: outcome, "text/html": html, "text/plain": line}, raw=True)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and getattr(shell, "kernel", None) is not None
