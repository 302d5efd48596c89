from __future__ import annotations

from pathlib import Path

import pytest

import course
from course.training.recipe import TrainingError
from course.training.ship import replaced, ship

CATALOGUE = """# A comment that stays.

[a.shipped]
size = 1

[a.shipped.sha256]
"config.json" = "00"

[[a.shipped.scores]]
name = "old"

# Of a's hub entry.
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
        "# Of a's hub entry.\n[a.hub]\nsize = 2\n\n[ab.shipped]\nsize = 3\n"
    )


def test_shipping_twice_changes_nothing() -> None:
    once = replaced(CATALOGUE, "a", ENTRY)
    assert replaced(once, "a", ENTRY) == once


def test_new_role_goes_to_the_end() -> None:
    assert replaced(CATALOGUE, "c", "[c.shipped]\nsize = 4\n") == CATALOGUE + "\n[c.shipped]\nsize = 4\n"


def test_first_entry_goes_above_the_hub_entry_and_its_comment() -> None:
    hub = "# Of a's hub entry.\n[a.hub]\nsize = 2\n"
    assert replaced(hub, "a", "[a.shipped]\nsize = 4\n") == f"[a.shipped]\nsize = 4\n\n{hub}"


def test_the_courses_own_catalogue_can_be_rewritten() -> None:
    own = (Path(course.__file__).parent / "models" / "catalogue.toml").read_text(encoding="utf-8")
    assert replaced(own, "minilm", "[minilm.shipped]\nsize = 4\n").splitlines()[0] == own.splitlines()[0]


def test_layout_that_is_not_understood_is_left_alone() -> None:
    with pytest.raises(TrainingError, match="put the entry of a there by hand"):
        replaced('[b.hub]\nsource = """\n[a.shipped]\n"""\n', "a", "[a.shipped]\nsize = 4\n")


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
