"""A bar where someone watches, and plain lines elsewhere."""

from __future__ import annotations

import io
import sys

from course.building.bar import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is_and_what_runs_and_keeps_the_lines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Bar() as bar:
        bar.show(["01 student", "02 solution"], 3, 12)
        bar.say("01 passed")
        shown = sys.stderr.getvalue()
    assert "3 of 12 lessons" in shown and "01 student · 02 solution" in shown
    assert capsys.readouterr().out == "01 passed\n"
    assert not sys.stderr.getvalue().rpartition("\r")[2].strip()  # nothing of it is left


def test_elsewhere_there_are_only_lines(capsys):
    with Bar() as bar:
        bar.show(["01 student"], 3, 12)
        bar.say("01 passed")
    assert capsys.readouterr() == ("01 passed\n", "")
