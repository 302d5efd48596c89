from __future__ import annotations

import pytest
import torch

import course
from course.training.adapters import adapted
from course.training.loop import seed_everything


@pytest.fixture(scope="module")
def classifier() -> torch.nn.Module:
    seed_everything(0)
    return adapted("sequence-classification", rank=2, heads=["classifier", "pooler"], num_labels=3)[0].eval()


def test_every_matrix_of_the_layers_is_adapted_and_the_pooler_is_not(classifier: torch.nn.Module) -> None:
    adapted_names = {name.split(".lora_A")[0] for name, _ in classifier.named_modules() if name.endswith("lora_A")}
    assert len(adapted_names) == 6 * 6
    assert not any("pooler" in name for name in adapted_names)


def test_only_adapter_and_heads_are_learnt(classifier: torch.nn.Module) -> None:
    learnt = [name for name, p in classifier.named_parameters() if p.requires_grad]
    assert all("lora_" in name or "modules_to_save" in name for name in learnt)
    assert sum(p.numel() for p in classifier.parameters() if p.requires_grad) == 2 * 41_472 + 385 * 387


def test_fresh_adapter_changes_nothing(classifier: torch.nn.Module) -> None:
    base = course.load("minilm", device="cpu")
    given = base.tokenizer("The cat sat on the mat", return_tensors="pt")
    with torch.no_grad():
        expected = base.module(**given).last_hidden_state
        found = classifier.get_base_model().bert(**given).last_hidden_state
    assert torch.allclose(found, expected, atol=1e-5)


def test_span_head_has_no_pooler() -> None:
    module, tokenizer = adapted("question-answering", rank=2, heads=["qa_outputs"])
    assert type(module.get_base_model()).__name__ == "BertForQuestionAnswering"
    assert tokenizer.is_fast
