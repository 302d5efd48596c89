from __future__ import annotations

from pathlib import Path

import pytest

from course.training.recipe import TrainingError
from course.training.ship import replaced, ship

CATALOGUE = """# A comment that stays.

[a.shipped]
size = 1

[a.shipped.sha256]
"config.json" = "00"

[[a.shipped.scores]]
name = "old"

[a.hub]
size = 2

[ab.shipped]
size = 3
"""
ENTRY = '[a.shipped]\nsize = 9\n\n[[a.shipped.scores]]\nname = "new"\n'


def test_only_the_shipped_entry_of_the_role_changes() -> None:
    assert replaced(CATALOGUE, "a", ENTRY) == (
        "# A comment that stays.\n\n"
        '[a.shipped]\nsize = 9\n\n[[a.shipped.scores]]\nname = "new"\n\n'
        "[a.hub]\nsize = 2\n\n[ab.shipped]\nsize = 3\n"
    )


def test_shipping_twice_changes_nothing() -> None:
    once = replaced(CATALOGUE, "a", ENTRY)
    assert replaced(once, "a", ENTRY) == once


def test_new_role_goes_to_the_end() -> None:
    assert replaced(CATALOGUE, "c", "[c.shipped]\nsize = 4\n") == CATALOGUE + "\n[c.shipped]\nsize = 4\n"


def test_weights_and_entry_go_into_the_package(tmp_path: Path) -> None:
    models, out = tmp_path / "models", tmp_path / "out"
    (out / "weights" / "a").mkdir(parents=True)
    (out / "weights" / "a" / "model.safetensors").write_bytes(b"new")
    (out / "catalogue.toml").write_text(ENTRY, encoding="utf-8")
    (models / "weights" / "a").mkdir(parents=True)
    (models / "weights" / "a" / "stray.json").write_bytes(b"old")
    (models / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    target = ship("a", out, models)
    assert [path.name for path in target.iterdir()] == ["model.safetensors"]
    assert "size = 9" in (models / "catalogue.toml").read_text(encoding="utf-8")


def test_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no finished sentiment; train it first"):
        ship("sentiment", tmp_path)
