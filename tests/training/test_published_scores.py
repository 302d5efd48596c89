"""Every score that the catalogue states for a trained role, measured again; needs --data=DIR."""

from __future__ import annotations

from pathlib import Path

import pytest

import course
from course.models import read_catalogue
from course.training.recipe import RECIPES, recipe

SHIPPED = [role for role in RECIPES if role in read_catalogue() and read_catalogue()[role].shipped]

TOLERANCE = 0.002
"""Relative; other processors round other answers than ours at the borders."""


@pytest.mark.scores
@pytest.mark.parametrize("role", SHIPPED)
def test_catalogue_states_what_is_measured(role: str, data: Path) -> None:
    stated = read_catalogue()[role].shipped.scores
    measured = recipe(role).score(course.load(role, device="cpu"), data)
    assert [score.name for score in stated] == [score.name for score in measured]
    for before, now in zip(stated, measured, strict=True):
        assert before.data == now.data
        found, wanted = (now.value, *now.interval), (before.value, *before.interval)
        assert found == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE), f"{role}: {now}"


@pytest.mark.parametrize("role", SHIPPED)
def test_every_shipped_model_has_its_recipe_card_and_scores(role: str) -> None:
    entry = read_catalogue()[role].shipped
    found = recipe(role)
    assert entry.scores
    assert (entry.task, entry.architecture) == (found.task, found.architecture)
    assert (entry.base.role if entry.base else None) == found.base
    assert entry.labels == found.labels
    card = (Path(course.__file__).parent / "models" / "weights" / role / "MODEL_CARD.md").read_text(encoding="utf-8")
    for score in entry.scores:
        assert score.name in card and score.data in card
    assert all(line in card for line in (*found.weaknesses, *found.misleads))
    assert found.weaknesses and found.misleads and found.held_out.strip("-")
