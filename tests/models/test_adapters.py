from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification
from transformers.utils import logging

from course.models import ModelError, load

LORA = "bert.encoder.layer.0.attention.self.query.lora_A.weight"


@pytest.fixture
def alter(own):
    """Alter the adapter's tensors or settings, and describe the files as they are then."""

    def alter(tensors=None, **settings: object) -> Path:
        if tensors is not None:
            file = own.judge / "adapter_model.safetensors"
            save_file(tensors(load_file(file)), file, metadata={"format": "pt"})
        config = own.judge / "adapter_config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | settings))
        return own.write()

    return alter


@pytest.fixture
def judge(own):
    return load("judge", device="cpu", catalogue=own.path)


def test_an_adapter_loads_as_an_ordinary_model(judge) -> None:
    assert type(judge.module) is BertForSequenceClassification
    assert not any("lora" in key or "modules_to_save" in key for key in judge.module.state_dict())
    assert not any("peft" in type(part).__module__ for part in judge.module.modules())
    assert not hasattr(judge.module, "peft_config")
    assert not judge.module.training
    assert judge.module.config._attn_implementation == "eager"
    assert all(parameter.requires_grad for parameter in judge.module.parameters())
    assert (judge.labels, judge.stage, judge.seed) == (("good", "bad", "neither"), "trained", None)
    assert judge.module.config.id2label == {0: "good", 1: "bad", 2: "neither"}


def test_float16_files_become_float32_weights(own, judge) -> None:
    assert {tensor.dtype for tensor in load_file(own.judge / "adapter_model.safetensors").values()} == {torch.float16}
    assert {parameter.dtype for parameter in judge.module.parameters()} == {torch.float32}


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_merged_it_answers_as_peft_does_unmerged(own, judge, checkpoint: Path) -> None:
    config = BertConfig.from_pretrained(own.judge)
    base = BertForSequenceClassification.from_pretrained(checkpoint, config=config, attn_implementation="eager")
    unmerged = peft.PeftModel.from_pretrained(base, str(own.judge)).eval()
    assert any("lora_A" in key for key in unmerged.state_dict())
    inputs = judge.tokenizer("the cat sat", "on a mat", return_tensors="pt")
    expected, found = unmerged(**inputs).logits, judge.module(**inputs).logits
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    plain = load("judge", stage="pretrained", device="cpu", catalogue=own.path).module(**inputs).logits
    assert (found - plain).abs().max() > 0.1  # the adapter does something


def test_the_head_is_that_of_the_adapter(own, judge) -> None:
    given = load_file(own.judge / "adapter_model.safetensors")["base_model.model.classifier.weight"]
    assert torch.equal(judge.module.classifier.weight, given.float())


def test_the_tokenizer_is_that_of_the_base(own, judge) -> None:
    base = load("base", device="cpu", catalogue=own.path)
    assert judge.tokenizer.get_vocab() == base.tokenizer.get_vocab()
    assert judge.tokenizer("the cat").input_ids == base.tokenizer("the cat").input_ids


def test_loading_twice_gives_the_same_and_leaves_the_random_numbers_as_they_were(own, judge) -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    again = load("judge", device="cpu", catalogue=own.path)
    assert torch.equal(torch.random.get_rng_state(), before)
    for key, tensor in judge.module.state_dict().items():
        assert torch.equal(again.module.state_dict()[key], tensor), key


def test_the_name_of_the_base_in_the_adapter_does_not_matter(own, alter, judge) -> None:
    other = load("judge", device="cpu", catalogue=alter(base_model_name_or_path="/somewhere/else"))
    assert torch.equal(other.module.classifier.weight, judge.module.classifier.weight)


def test_loading_an_adapter_says_nothing(own, capfd, log_lines) -> None:
    load("judge", device="cpu", catalogue=own.path)
    capfd.readouterr()
    log_lines.clear()
    level = logging.get_verbosity()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        load("judge", device="cpu", catalogue=own.path)
    assert (capfd.readouterr(), [str(warning.message) for warning in warned], log_lines) == (("", ""), [], [])
    assert logging.get_verbosity() == level


def test_peft_is_imported_only_for_an_adapter() -> None:
    code = "import sys; from course.models import load; load('minilm', device='cpu'); assert 'peft' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


# What does not fit.


def refusal(catalogue: Path) -> str:
    with pytest.raises(ModelError) as refused:
        load("judge", device="cpu", catalogue=catalogue)
    return str(refused.value)


def test_a_missing_tensor_is_refused(alter) -> None:
    fewer = alter(lambda tensors: {key: value for key, value in tensors.items() if LORA not in key})
    assert refusal(fewer) == (
        f"judge (shipped): the adapter lacks {LORA} (1 such in all); "
        "check adapter_config.json and adapter_model.safetensors"
    )


def test_a_missing_head_is_refused(alter) -> None:
    headless = alter(lambda tensors: {key: value for key, value in tensors.items() if "classifier" not in key})
    assert "the adapter lacks classifier.bias (2 such in all); " in refusal(headless)


def test_a_head_that_nobody_trained_is_refused(alter) -> None:
    headless = alter(
        lambda tensors: {key: value for key, value in tensors.items() if "classifier" not in key}, modules_to_save=None
    )
    assert refusal(headless) == (
        "judge (shipped): neither the base nor the adapter has classifier.bias; name its module in modules_to_save of "
        "adapter_config.json and train again"
    )


def test_a_foreign_tensor_is_refused(alter) -> None:
    more = alter(lambda tensors: tensors | {f"base_model.model.{LORA}".replace("query", "dense"): torch.zeros(2, 8)})
    assert "the adapter has a foreign bert.encoder.layer.0.attention.self.dense.lora_A.weight (1 such" in refusal(more)


def test_another_number_of_labels_in_the_config_is_refused(own) -> None:
    config = BertConfig.from_pretrained(own.judge, num_labels=2)
    config.save_pretrained(own.judge)
    assert refusal(own.write()) == (
        "judge (shipped): classifier.bias of the adapter is 3, but its config.json and its base need 2; "
        "check the number of labels there"
    )


def test_another_number_of_labels_in_the_catalogue_is_refused(own) -> None:
    sentence = "judge (shipped) has 3 outputs, but 2 labels; give one label for each output"
    assert refusal(own.write(labels=["good", "bad"])) == sentence


def test_another_architecture_is_refused(own) -> None:
    sentence = refusal(own.write(architecture="BertForTokenClassification"))
    assert sentence.startswith(
        "judge (shipped) is a BertForSequenceClassification, but the catalogue expects a BertFor"
    )


def test_a_wider_base_is_refused(own, tiny_config) -> None:
    BertForSequenceClassification(BertConfig(**tiny_config.to_dict() | {"intermediate_size": 24})).bert.save_pretrained(
        own.weights / "base"
    )
    assert refusal(own.write()).startswith("judge (shipped): transformers cannot read the checkpoint (")


@pytest.mark.filterwarnings("ignore:Unexpected keyword arguments:UserWarning")
def test_an_adapter_of_another_type_is_refused(alter) -> None:
    assert refusal(alter(peft_type="IA3")) == "judge (shipped): its adapter is of the type IA3; train one with LoRA"


@pytest.mark.parametrize("settings", [{"peft_type": "nonsense"}, {"r": "two"}, {"target_modules": ["nothing"]}])
def test_settings_that_are_none_are_refused(alter, settings: dict) -> None:
    assert refusal(alter(**settings)).startswith("judge (shipped): transformers cannot read the checkpoint (")


def test_adapter_tensors_that_are_none_are_refused(own) -> None:
    (own.judge / "adapter_model.safetensors").write_bytes(b"no weights")
    assert refusal(own.write()).startswith("judge (shipped): transformers cannot read the checkpoint (")
