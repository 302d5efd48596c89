"""Findings: advice wherever something failed, and a verdict that says nothing of the machine."""

from __future__ import annotations

import pytest

from course.doctor.findings import Diagnosis, Finding, failed, noted, passed


def test_what_failed_comes_with_advice():
    with pytest.raises(ValueError, match="failed with advice"):
        Finding("memory", "failed", "none is free")
    with pytest.raises(ValueError, match="passed, noted, or failed"):
        Finding("memory", "fine", "much is free")


def test_a_line_has_its_symbol_and_below_it_what_to_do():
    assert str(passed("disk", "9 GB free")) == "✓ disk         9 GB free"
    assert str(noted("disk", "little")) == "○ disk         little"
    assert str(failed("disk", "full", "make room")) == "✗ disk         full\n    → make room"


def test_notes_do_not_keep_anyone_from_class():
    ready = Diagnosis((passed("disk", "9 GB free"), noted("memory", "little", "close something")))
    assert ready.ready and ready.verdict == "✓ this machine is ready for class"
    assert repr(ready).splitlines()[-1] == ready.verdict


def test_the_verdict_names_what_to_mend_once():
    found = Diagnosis(
        (failed("torch", "a", "b"), passed("disk", "c"), failed("torch", "d", "e"), failed("x", "f", "g"))
    )
    assert not found.ready and found.verdict == "✗ this machine is not ready for class: mend torch, x"
    assert found.as_json()["findings"][1] == {"name": "disk", "status": "passed", "says": "c", "advice": ""}
