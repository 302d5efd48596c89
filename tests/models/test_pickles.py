from __future__ import annotations

import contextlib
import pickle
import re
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForPreTraining

from course.models import ModelError
from course.models.pickles import read_pickle

ELSE = "; name a revision with safetensors weights in the catalogue, or another checkpoint"


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def saved(content: object, path: Path, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        read_pickle(path, "the file")
    sentence = str(error.value)
    assert sentence.count(";") == 1 and "\n" not in sentence and not sentence.endswith(".")
    return sentence


def test_a_state_dict_is_read_bit_for_bit(tiny_config: BertConfig, tmp_path: Path) -> None:
    state = BertForPreTraining(tiny_config).state_dict()
    read = read_pickle(saved(state, tmp_path / "a.bin"), "the file")
    assert list(read) == sorted(state)
    for name, tensor in state.items():
        assert torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype


def test_weights_of_another_device_and_type_are_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    state = {"half": torch.randn(3).half(), "number": torch.arange(4), "scalar": torch.tensor(1.5)}
    read = read_pickle(saved(state, tmp_path / "a.bin"), "the file")
    assert all(torch.equal(read[name], tensor) and read[name].is_cpu for name, tensor in state.items())


def test_tied_weights_become_copies(tmp_path: Path) -> None:
    table = torch.nn.Parameter(torch.randn(6, 4))
    state = OrderedDict(first=table, again=table, turned=table.detach().T, part=table.detach()[2:], other=torch.ones(2))
    read = read_pickle(saved(state, tmp_path / "a.bin"), "the file")
    assert all(torch.equal(read[name], tensor) for name, tensor in state.items())
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in read.values())
    assert len({tensor.untyped_storage().data_ptr() for tensor in read.values()}) == len(state)


@pytest.mark.parametrize("place", ["value", "name", "whole"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not(tmp_path: Path, place: str) -> None:
    ran = tmp_path / "it ran"
    content = {
        "value": {"weight": torch.ones(2), "x": Trap(ran)},
        "name": {Trap(ran): torch.ones(2)},
        "whole": Trap(ran),
    }
    path = saved(content[place], tmp_path / "a.bin")
    assert refused(path) == "the file holds something else than tensors, which could run code and was not run" + ELSE
    assert not ran.exists()
    torch.load(path, weights_only=False)
    assert ran.exists()  # the trap is one


OLD = {"_use_new_zipfile_serialization": False}


def test_the_format_before_torch_1_6_is_read_bit_for_bit(tiny_config: BertConfig, tmp_path: Path) -> None:
    state = BertForPreTraining(tiny_config).state_dict()
    path = saved(state, tmp_path / "a.bin", **OLD)
    assert not zipfile.is_zipfile(path)
    read = read_pickle(path, "the file")
    assert all(torch.equal(read[name], tensor) for name, tensor in state.items())
    assert len({tensor.untyped_storage().data_ptr() for tensor in read.values()}) == len(state)


@pytest.mark.parametrize("hidden", [lambda trap: {"weight": torch.ones(2), "x": trap}, lambda trap: trap])
def test_a_trap_in_the_format_before_torch_1_6_does_not_run(tmp_path: Path, hidden) -> None:
    ran = tmp_path / "it ran"
    path = saved(hidden(Trap(ran)), tmp_path / "a.bin", **OLD)
    assert refused(path) == "the file holds something else than tensors, which could run code and was not run" + ELSE
    assert not ran.exists()
    torch.load(path, weights_only=False)
    assert ran.exists()


def test_a_trap_behind_the_first_number_does_not_run(tmp_path: Path) -> None:
    """A file of the old format is several pickles in a row; each of them could be the trap."""
    ran = tmp_path / "it ran"
    parts = [pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    for before in range(1, 4):
        (tmp_path / "a.bin").write_bytes(b"".join(parts[:before]) + pickle.dumps(Trap(ran), protocol=2))
        refused(tmp_path / "a.bin")
        assert not ran.exists()


@pytest.mark.parametrize("start", [b"", b"PK", pickle.dumps({"weight": 1})])
def test_what_torch_did_not_save_is_not_read(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(start)
    assert refused(tmp_path / "a.bin") == "the file does not begin as torch.save begins a file, and is not read" + ELSE


def test_a_pickle_with_a_zip_behind_it_is_refused(tmp_path: Path) -> None:
    ran = tmp_path / "it ran"
    both = pickle.dumps(Trap(ran)) + saved({"weight": torch.ones(2)}, tmp_path / "a.bin").read_bytes()
    (tmp_path / "b.bin").write_bytes(both)
    assert zipfile.is_zipfile(tmp_path / "b.bin")
    assert "does not begin as torch.save" in refused(tmp_path / "b.bin") and not ran.exists()


def test_a_tar_with_the_first_number_as_its_first_name_is_refused(tmp_path: Path) -> None:
    """CVE-2025-32434 came through the tar archives of torch 0.1."""
    ran = tmp_path / "it ran"
    inner = tmp_path / "pickle"
    inner.write_bytes(pickle.dumps(Trap(ran), protocol=2))
    with tarfile.open(tmp_path / "a.bin", "w", encoding="latin-1") as archive:
        for name in (
            pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2).decode("latin-1"),
            "storages",
            "tensors",
            "pickle",
        ):
            archive.add(inner, arcname=name)
    refused(tmp_path / "a.bin")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([torch.ones(2)], "it is a list"),
        (torch.ones(2), "it is a Tensor"),
        ({}, "it is empty"),
        ({"state_dict": {"weight": torch.ones(2)}}, "state_dict is a dict"),
        ({"weight": torch.ones(2), "epoch": 3}, "epoch is a int"),
        ({3: torch.ones(2)}, "3 is no name"),
        ({"weight": torch.ones(2, 2).to_sparse()}, "weight is a tensor of another kind"),
        ({"weight": torch.ones(2, device="meta")}, "weight is a tensor of another kind"),
        ({"weight": torch.ones(2, dtype=torch.complex64)}, "weight is a tensor of another kind"),
        ({"weight": torch.ones(2, dtype=torch.complex64).conj().imag}, "weight is a tensor of another kind"),
    ],
)  # fmt: skip
def test_what_is_no_flat_table_of_tensors_is_refused(content: object, found: str, tmp_path: Path) -> None:
    path = saved(content, tmp_path / "a.bin")
    assert refused(path) == f"the file is not a flat table of names and tensors ({found}){ELSE}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "a.bin"))
    assert re.fullmatch(r"the file (is no checkpoint of torch|is compressed).*" + ELSE, refused(tmp_path / "a.bin"))


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    path = saved({"weight": torch.zeros(1000)}, tmp_path / "a.bin")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "b.bin", "w", zipfile.ZIP_DEFLATED) as packed:
        for member in archive.namelist():
            packed.writestr(member, archive.read(member))
    assert refused(tmp_path / "b.bin") == "the file is compressed, as torch.save writes none" + ELSE


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert refused(tmp_path / "a.bin") == f"the file is no checkpoint of torch (RuntimeError){ELSE}"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_half_a_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = saved({"weight": torch.randn(1000)}, tmp_path / "a.bin")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert refused(path) == f"the file is a damaged zip file; delete {path.resolve()} and pull again"


def test_numbers_beyond_the_end_of_the_file_are_refused(tmp_path: Path) -> None:
    """The hole of CVE-2026-24747: a table of contents that promises more than there is."""
    parts = {}
    for length in (10, 10**6):
        with zipfile.ZipFile(saved({"weight": torch.zeros(length)}, tmp_path / "a.bin")) as archive:
            parts[length] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "b.bin", "w") as forged:
        for name, content in (parts[10] | {"a/data.pkl": parts[10**6]["a/data.pkl"]}).items():
            forged.writestr(name, content)
    assert refused(tmp_path / "b.bin") == f"the file is no checkpoint of torch (RuntimeError){ELSE}"


def test_no_damage_to_the_pickle_gives_a_traceback(tmp_path: Path) -> None:
    whole = saved({"weight": torch.randn(3), "bias": torch.randn(3)}, tmp_path / "a.bin").read_bytes()
    start = whole.index(b"\x80\x02}")
    for i in range(start, start + 120, 7):
        (tmp_path / "b.bin").write_bytes(whole[:i] + bytes([whole[i] ^ 0x55]) + whole[i + 1 :])
        with contextlib.suppress(ModelError):
            read_pickle(tmp_path / "b.bin", "the file")
