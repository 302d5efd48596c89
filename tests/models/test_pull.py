from __future__ import annotations

import pytest

from course.models import ModelError, load, read_catalogue
from course.models.lock import locked
from course.models.pull import pull

REPO, REVISION = "school/tiny", "a1" * 20


@pytest.fixture
def entry(hub_entry):
    return read_catalogue(hub_entry())["tiny"].hub


def test_what_is_pulled_loads_without_the_hub(hub, files, entry, hub_entry) -> None:
    hub.publish(files)
    pull(entry)
    hub.status = 503
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2


def test_a_second_pull_asks_nothing(hub, files, entry) -> None:
    hub.publish(files)
    pull(entry)
    hub.asked.clear()
    pull(entry)
    assert hub.asked == []


def test_what_is_pulled_is_locked(hub, files, sha256, entry) -> None:
    hub.publish(files)
    pull(entry)
    assert (locked(REPO).revision, locked(REPO).sha256) == (REVISION, sha256)


def test_all_files_are_of_one_revision(hub, files, entry, monkeypatch) -> None:
    hub.publish(files)
    publish_on_the_way(hub, {**files, "config.json": b"{}"}, monkeypatch)
    assert pull(entry).paths["config.json"].read_bytes() == files["config.json"]
    assert {path.parent.name for path in pull(entry).paths.values()} == {REVISION}


def publish_on_the_way(hub, files, monkeypatch) -> None:
    """Let the repository move on as soon as its small files are here."""
    import course.models.pull

    find = course.models.pull.find

    def then_publish(*arguments):
        found = find(*arguments)
        hub.publish(files, revision="e5" * 20)
        return found

    monkeypatch.setattr(course.models.pull, "find", then_publish)


def test_weights_that_are_none_are_refused_and_not_locked(hub, files, entry) -> None:
    hub.publish({**files, "model.safetensors": b"no weights"})
    with pytest.raises(
        ModelError, match=r"^tiny \(hub\): model.safetensors holds no weights \(.+\); delete .* pull again"
    ):
        pull(entry)
    assert "model.safetensors" not in locked(REPO).sha256


def test_where_weights_are_pickled_the_small_files_are_still_here(hub, files, entry, hub_entry) -> None:
    weights = files.pop("model.safetensors")
    hub.publish({**files, "pytorch_model.bin": weights})
    with pytest.raises(ModelError, match=r"has no model.safetensors at revision a1a1a1a1a1a1; choose a revision"):
        pull(entry)
    hub.status = 503
    assert load("tiny", profile="hub", stage="random", device="cpu", catalogue=hub_entry()).layers == 2
