from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

from course.models import ModelError, read_catalogue
from course.models.catalogue import TASKS, HubMirror, PackageMirror, Score

GOOD = """
[tiny.shipped]
title = "Tiny"
task = "sequence-classification"
architecture = "BertForSequenceClassification"
licence = "CC0-1.0"
languages = ["en", "es"]
labels = ["no", "yes"]
size = 10
source = "the tests"
mirrors = [{package = "tiny", version = "1.0", folder = "tiny/model"}, {repo = "a/b", revision = "REVISION"}]
scores = [{name = "accuracy", value = 0.91, interval = [0.9, 0.92], data = "ten sentences"}]
[tiny.shipped.sha256]
"config.json" = "DIGEST"
"model.safetensors" = "DIGEST"
[tiny.hub]
title = "Tiny"
task = "encoder"
architecture = "BertModel"
licence = "CC0-1.0"
languages = []
labels = []
size = 10
source = "the tests"
repo = "tiny"
revision = "REVISION"
files = ["config.json", "model.safetensors"]
sha256 = {"config.json" = "DIGEST"}
""".replace("REVISION", "a1" * 20).replace("DIGEST", "b2" * 32)

REVISION, DIGEST = "a1" * 20, "b2" * 32
WEIGHTS = f'"model.safetensors" = "{DIGEST}"'


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return read_catalogue(path)

    return read


def test_every_field_is_read(read) -> None:
    role = read(GOOD)["tiny"]
    assert role.shipped.labels == ("no", "yes")
    assert role.shipped.files == ("config.json", "model.safetensors")
    assert role.shipped.mirrors == (PackageMirror("tiny", "1.0", "tiny/model"), HubMirror("a/b", "a1" * 20))
    assert role.shipped.scores == (Score("accuracy", 0.91, "ten sentences", (0.9, 0.92)),)
    assert str(role.shipped.scores[0]) == "accuracy 0.910 [0.900, 0.920] on ten sentences"
    assert role.hub.mirrors == (HubMirror("tiny", "a1" * 20),)
    assert role.hub.sha256 == {"config.json": "b2" * 32}


def test_a_role_may_have_one_profile_only(read) -> None:
    assert read(GOOD.split("[tiny.hub]")[0])["tiny"].hub is None


def test_a_hub_entry_may_leave_revision_and_hashes_to_the_lock_file(read) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(("revision", "sha256 =")))
    assert read(text)["tiny"].hub.mirrors == (HubMirror("tiny", None),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'"{REVISION}"\nf', '"main"\nf', "tiny.hub.revision must be 40 hex digits, not 'main'"),
        ('repo = "tiny"', 'repo = "a/b/c"', "tiny.hub.repo must be a repository such as 'name' or"),
        ('repo = "tiny"\n', "", "tiny.hub.repo is missing"),
        ("size = 10", 'size = "10"', "tiny.shipped.size must be a number of bytes, not '10'"),
        ("size = 10", "size = true", "tiny.shipped.size must be a number of bytes, not True"),
        ("licence", "license", "tiny.shipped.license is no field; use licence"),
        ('title = "Tiny"', 'title = ""', "tiny.shipped.title must be a text, not ''"),
        ('"encoder"', '"encode"', "tiny.hub.task must be one of encoder, sequence-classification"),
        ('["en", "es"]', '"en"', "tiny.shipped.languages must be a list, not 'en'"),
        ('["en", "es"]', '["en", 5]', "tiny.shipped.languages[1] must be a text, not 5"),
        (WEIGHTS, '"x.json" = "b2"', "tiny.shipped.sha256.\"x.json\" must be 64 hex digits, not 'b2'"),
        (WEIGHTS, "", "tiny.shipped.sha256 must be a list with config.json and the .safetensors weights"),
        ('"model.safetensors"]', '"a.bin"]', "tiny.hub.files[1] names a.bin, which could run code"),
        ('"model.safetensors"]', '"../x.json"]', "tiny.hub.files[1] must be a plain path inside the"),
        ('sha256 = {"config.json"', 'sha256 = {"vocab.txt"', "tiny.hub.sha256 names vocab.txt"),
        ('version = "1.0", ', "", "tiny.shipped.mirrors[0].version is missing"),
        ("[0.9, 0.92]", "[0.92, 0.9]", "tiny.shipped.scores[0].interval must be the two ends of an interval"),
        ("value = 0.91", "value = nan", "tiny.shipped.scores[0].value must be a number"),
        (", data = ", ", date = ", "tiny.shipped.scores[0].date is no field; use data"),
        ("task = \"encoder\"", 'task = "encoder"\nscore = 1', "tiny.hub.score is no field; use scores"),
        ("labels = []", 'labels = ["a"]', "tiny.hub.labels must be empty, for encoder has none"),
        ("[tiny.hub]", "[tiny.huge]", "tiny.huge is no field; use shipped or hub"),
        ("[tiny.hub]", "[Tiny.hub]", "the role 'Tiny' must be lower-case words"),
        ("[tiny.hub]", "[[tiny.hub]]", "tiny.hub must be a table"),
    ],
)  # fmt: skip
def test_a_wrong_field_names_itself(read, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ModelError, match=f"^mine.toml: {re.escape(message)}"):
        read(GOOD.replace(old, new, 1))


def test_broken_toml_names_the_line(read) -> None:
    with pytest.raises(ModelError, match=r"^mine.toml is not valid TOML \(.*line 2.*\); correct it there$"):
        read("[tiny]\nrepo = main\n")


def test_a_missing_catalogue_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none.toml cannot be read \(No such file or directory\); give its path$"):
        read_catalogue(tmp_path / "none.toml")


def test_every_task_has_an_auto_class() -> None:
    import transformers

    for task in TASKS.values():
        assert hasattr(transformers, task.auto_class)


def test_the_stated_size_of_minilm_is_that_of_its_weights() -> None:
    shipped = read_catalogue()["minilm"].shipped
    mirror = shipped.mirrors[0]
    weights = Path(str(distribution(mirror.package).locate_file(f"{mirror.folder}/model.safetensors")))
    assert weights.stat().st_size == shipped.size
    assert distribution(mirror.package).version == mirror.version


def test_minilm_and_bert_share_a_vocabulary() -> None:
    role = read_catalogue()["minilm"]
    assert role.shipped.sha256["vocab.txt"] == role.hub.sha256["vocab.txt"]
