from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import pytest
import torch

import course
from course.training.cli import main

WORDS = ("cats", "dogs", "birds", "boats", "trees", "clouds", "roads", "songs")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a little paraphrase corpus, in the published form."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mrpc").mkdir()
    rows = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]
    for i in range(24):
        first, second = WORDS[i % 8], WORDS[(i + i % 2) % 8]
        rows.append(f"{1 - i % 2}\t{10 + 2 * i}\t{11 + 2 * i}\tShe likes {first}.\t{second.title()} are liked by her.")
    for name in ("train", "test"):
        (folder / f"mrpc/msr_paraphrase_{name}.txt").write_text("\n".join(rows), encoding="utf-8")
    return folder


def arguments(corpus: Path, out: Path, *others: str) -> list[str]:
    return ["paraphrase", "--data", str(corpus), "--out", str(out), "--epochs", "1", *others]


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    assert main(arguments(corpus, out, "--seeds", "0", "1")) == 0
    return out


def test_result_is_loaded_as_the_course_loads_it(trained: Path) -> None:
    model = course.load("paraphrase", catalogue=trained / "catalogue.toml", device="cpu")
    assert model.labels == ("not equivalent", "equivalent")
    assert model.architecture == type(model.module).__name__ == "BertForSequenceClassification"
    assert {p.dtype for p in model.module.parameters()} == {torch.float32}
    assert course.rank(model, "She likes cats.", "Cats are liked by her.").total == 2
    assert not course.attend(model, "She likes cats.", "Cats are liked.").weights.isnan().any()


def test_weights_are_small_half_precision_and_name_no_folder(trained: Path) -> None:
    place = trained / "weights" / "paraphrase"
    from safetensors.torch import load_file

    assert {t.dtype for t in load_file(place / "adapter_model.safetensors").values()} == {torch.float16}
    assert sum(path.stat().st_size for path in place.iterdir()) < 4.5e6
    settings = json.loads((place / "adapter_config.json").read_text(encoding="utf-8"))
    assert settings["base_model_name_or_path"] == "minilm"
    assert not any(b"/" + part in path.read_bytes() for path in place.iterdir() for part in (b"tmp/", b"site-packages"))


def test_entry_has_the_hash_of_each_file_and_the_scores(trained: Path) -> None:
    entry = tomllib.loads((trained / "catalogue.toml").read_text(encoding="utf-8"))["paraphrase"]["shipped"]
    place = trained / "weights" / "paraphrase"
    assert entry["sha256"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.iterdir()
        if path.name != "MODEL_CARD.md"
    }
    assert [score["name"] for score in entry["scores"]] == ["accuracy", "F1"]
    assert entry["scores"][0]["data"] == "MRPC test (24 pairs)"


def test_card_tells_seeds_scores_base_and_terms(trained: Path) -> None:
    text = (trained / "weights" / "paraphrase" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "--seeds 0 1 --epochs 1`" in text
    assert "mean of 2 seeds" in text
    assert "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" in text
    assert "Microsoft Research" in text
    for heading in ("Data", "Recipe", "Scores", "What it is bad at", "How it misleads a student who trusts it"):
        assert f"## {heading}\n" in text


def test_shipped_is_the_first_seed_whatever_the_others_reach(trained: Path, corpus: Path) -> None:
    file = Path("weights/paraphrase/adapter_model.safetensors")
    for order in ("01", "10"):
        assert main(arguments(corpus, trained, "--seeds", *order)) == 0
        assert (trained / file).read_bytes() == (trained / f"seed-{order[0]}" / file).read_bytes()
        assert f"Shipped is seed {order[0]}, the first" in (trained / file).with_name("MODEL_CARD.md").read_text(
            "utf-8"
        )


def test_seeds_that_are_done_are_not_trained_again(trained: Path, corpus: Path) -> None:
    weights = trained / "seed-0" / "weights/paraphrase/adapter_model.safetensors"
    before = weights.stat().st_mtime_ns
    assert main(arguments(corpus, trained, "--seeds", "0", "1")) == 0
    assert weights.stat().st_mtime_ns == before


def test_results_of_other_settings_are_refused(trained: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(corpus, trained), "--precision", "bfloat16"]) == 1
    assert "other settings; delete it, or give another --out" in capsys.readouterr().err


def test_missing_data_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, tmp_path / "out")) == 1
    assert capsys.readouterr().err == (
        f"course.training: mrpc/msr_paraphrase_train.txt is not in {tmp_path}; give --data the folder that has it\n"
    )


def test_unknown_role_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["poetry", "--data", ".", "--out", "."])
    assert stopped.value.code == 2
    assert "sentiment" in capsys.readouterr().err
