from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

import course.models.catalogue
from course.models import ModelError, read_catalogue
from course.models.entries import TASKS, HubMirror, PackageMirror, Score, WeightsMirror

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


def test_the_catalogue_of_the_course_pins_every_shipped_file() -> None:
    for role in read_catalogue().values():
        for entry in filter(None, (role.shipped, role.shipped and role.shipped.base)):
            assert set(entry.sha256) == set(entry.files)


def test_a_hash_on_the_hub_belongs_to_a_revision() -> None:
    for role in read_catalogue().values():
        for entry in role.hub.family if role.hub else ():
            assert entry.mirrors[0].revision or not entry.sha256, entry.name


def test_the_same_file_has_the_same_hash_wherever_it_is_named() -> None:
    seen: dict[tuple[str, str], str] = {}
    entries = [entry for role in read_catalogue().values() for entry in role.entries]
    for part in (part for entry in entries for part in entry.family):
        for mirror in (mirror for mirror in part.mirrors if isinstance(mirror, HubMirror)):
            for name, digest in part.sha256.items():
                assert seen.setdefault((mirror.repo, name), digest) == digest


def test_the_emojis_stand_in_the_order_of_the_data(data: Path) -> None:
    lines = (data / "emoji-es" / "es_mapping.txt").read_text(encoding="utf-8").splitlines()
    mapping = [line.split("\t") for line in lines]
    assert [int(number) for number, *_ in mapping] == list(range(19))
    assert read_catalogue()["emoji-es"].hub.labels == tuple(emoji for _, emoji, *_ in mapping)


# Folders of weights, bases and checkpoints before fine-tuning.

BASED = """
[base.shipped]
title = "Base"
task = "encoder"
architecture = "BertModel"
licence = "CC0-1.0"
languages = []
labels = []
size = 10
source = "the tests"
mirrors = [{weights = "base"}]
scores = []
sha256 = {"config.json" = "DIGEST", "model.safetensors" = "DIGEST"}
[tiny.shipped]
title = "Tiny"
task = "sequence-classification"
architecture = "BertForSequenceClassification"
licence = "CC0-1.0"
languages = []
labels = []
size = 10
source = "the tests"
base = "base"
mirrors = [{weights = "some/tiny"}]
scores = []
[tiny.shipped.sha256]
"config.json" = "DIGEST"
"adapter_config.json" = "DIGEST"
"adapter_model.safetensors" = "DIGEST"
"MODEL_CARD.md" = "DIGEST"
""".replace("DIGEST", "b2" * 32)


def test_weights_lie_beside_the_catalogue(read, tmp_path: Path) -> None:
    roles = read(BASED)
    assert roles["tiny"].shipped.mirrors == (WeightsMirror(tmp_path / "weights" / "some" / "tiny"),)


def test_weights_may_be_given_by_a_whole_path(read, tmp_path: Path) -> None:
    whole = tmp_path / "elsewhere"
    assert read(BASED.replace("some/tiny", str(whole)))["tiny"].shipped.mirrors == (WeightsMirror(whole),)


def test_the_weights_of_the_course_lie_in_its_package() -> None:
    root = Path(course.models.catalogue.__file__).parent / "weights"
    for role in read_catalogue().values():
        for mirror in role.shipped.mirrors if role.shipped else ():
            assert not isinstance(mirror, WeightsMirror) or mirror.folder.parent == root


def test_a_base_is_found_in_the_same_catalogue_then_in_that_of_the_course(read) -> None:
    roles = read(BASED)
    assert roles["tiny"].shipped.base == roles["base"].shipped
    roles = read(BASED.replace('base = "base"', 'base = "minilm"'))
    assert roles["tiny"].shipped.base == read_catalogue()["minilm"].shipped


def test_stages_are_those_that_can_be_made(read) -> None:
    roles = read(BASED)
    assert roles["tiny"].shipped.stages == ("trained", "pretrained", "random")
    assert roles["base"].shipped.stages == ("trained", "random")


PRETRAINED = """
[tiny.hub.pretrained]
title = "Before"
licence = "MIT"
size = 20
source = "elsewhere"
repo = "a/before"
files = ["config.json", "model.safetensors"]
"""


def test_the_checkpoint_before_fine_tuning_is_an_entry_of_its_own(read) -> None:
    hub = read(GOOD + PRETRAINED)["tiny"].hub
    before = hub.pretrained
    assert (before.name, before.place) == ("tiny (hub, pretrained)", "tiny/hub-pretrained")
    assert (before.mirrors, before.licence, before.sha256) == ((HubMirror("a/before", None),), "MIT", {})
    assert (before.architecture, before.pretrained, hub.family) == (hub.architecture, None, (hub, before))
    assert hub.stages == ("trained", "pretrained", "random")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('base = "base"', 'base = "bass"', "tiny.shipped.base names bass, which has no shipped entry; name a role"),
        ('base = "base"', 'base = "tiny"', "tiny.shipped.base names tiny, which is an adapter itself; name the role"),
        ('base = "base"\n', "", "tiny.shipped.sha256 names adapter_config.json if there is a base, and only then"),
        ('"adapter_config.json" = ', '"adapter.json" = ', "tiny.shipped.sha256 names adapter_config.json if there"),
        ("some/tiny", "../tiny", "tiny.shipped.mirrors[0].weights must be a folder inside weights/ or a whole path"),
        ('weights = "base"', 'weight = "base"', "base.shipped.mirrors[0].weight is no field"),
    ],
)  # fmt: skip
def test_a_wrong_base_or_folder_names_itself(read, old: str, new: str, message: str) -> None:
    assert old in BASED
    with pytest.raises(ModelError, match=f"^mine.toml: {re.escape(message)}"):
        read(BASED.replace(old, new, 1))


def test_a_wrong_field_before_fine_tuning_names_itself(read) -> None:
    with pytest.raises(ModelError, match=r"^mine.toml: tiny.hub.pretrained.licence is missing; add it$"):
        read(GOOD + PRETRAINED.replace('licence = "MIT"\n', ""))
