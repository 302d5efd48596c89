"""Which saves are told, and that none is lost."""

from __future__ import annotations

import pytest

from course.building.saves import Saves


@pytest.fixture
def followed(small_course):
    saves = Saves(small_course.root)
    (small_course.root / "words").mkdir()
    files = {"words.txt": False, "words/": True, "later/on/data.csv": False}
    assert saves.follow({f"{small_course.root}/{file}" for file in files})
    yield small_course.root, saves
    saves.close()


def told(root, saves) -> set[str]:
    """What was saved before now: the mark is the last of it."""
    mark = root / "lessons" / "99_mark.py"
    mark.write_text("x")
    found = set(saves.wait())
    while str(mark) not in found:
        found |= saves.wait()
    return {path.removeprefix(f"{root}/") for path in found} - {"lessons/99_mark.py"}


@pytest.mark.parametrize("file", ["lessons/01_counting.py", "solutions/02_new.py", "words.txt", "words/new.txt"])
def test_what_a_build_depends_on(followed, file):
    root, saves = followed
    (root / file).write_text("new")
    assert told(root, saves) == {file}


@pytest.mark.parametrize(
    "file",
    ["lessons/.01_counting.py.swp", "lessons/01_counting.py~", "lessons/4913", "lessons/#01_counting.py#",
     "lessons/.#01_counting.py", "lessons/.hidden.py", "lessons/notes.md", "lessons/__pycache__/x.py",
     "build/site/index.html", "README.md", "words/deeper/new.txt", ".ruff_cache/x"],
)  # fmt: skip
def test_what_it_does_not(followed, file):
    root, saves = followed
    if file.startswith("words/"):
        (root / "words" / "deeper").mkdir()
        assert told(root, saves) == {"words/deeper"}
    (root / file).parent.mkdir(exist_ok=True, parents=True)
    (root / file).write_text("new")
    assert told(root, saves) == set()


def test_a_file_that_was_renamed_into_place_and_one_that_went(followed):
    root, saves = followed
    (root / "lessons" / "new.tmp").write_text("new")
    (root / "lessons" / "new.tmp").rename(root / "lessons" / "01_counting.py")
    (root / "solutions" / "01_counting.py").unlink()
    assert told(root, saves) == {"lessons/01_counting.py", "solutions/01_counting.py"}


def test_a_file_that_was_missing_with_its_folders(followed):
    root, saves = followed
    (root / "later").mkdir()
    assert told(root, saves) == {"later"}
    assert saves.follow({f"{root}/later/on/data.csv"})
    (root / "later" / "on").mkdir()
    assert told(root, saves) == {"later/on"}
    assert saves.follow({f"{root}/later/on/data.csv"})
    (root / "later" / "on" / "data.csv").write_text("x")
    assert told(root, saves) == {"later/on/data.csv"}


def test_nothing_is_lost_while_other_files_come_to_be_followed(followed):
    root, saves = followed
    (root / "words.txt").write_text("new")
    (root / "data").mkdir()
    assert saves.follow({f"{root}/words.txt", f"{root}/data/more.csv"})
    assert not saves.follow({f"{root}/words.txt", f"{root}/data/more.csv"})
    (root / "data" / "more.csv").write_text("new")
    assert told(root, saves) == {"words.txt", "data/more.csv"}
