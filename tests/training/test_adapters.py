from __future__ import annotations

import pytest
import torch

import course
from course.training.adapters import adapted, learnt, mix
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


def _changed(seed: int) -> dict[str, torch.Tensor]:
    """An adapter of rank 2 with random parts, as after a training; all start with the same heads."""
    seed_everything(0)
    module = adapted("sequence-classification", rank=2, heads=["classifier", "pooler"], num_labels=3)[0]
    draw = torch.Generator().manual_seed(seed)
    return {key: value + 0.1 * torch.randn(value.shape, generator=draw) for key, value in learnt(module).items()}


def _merged(members: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    module = adapted("sequence-classification", rank=2 * len(members), heads=["classifier", "pooler"], num_labels=3)[0]
    mix(module, members)
    return module.merge_and_unload().state_dict()


def test_mixed_adapters_are_the_average_of_the_merged_models() -> None:
    members = [_changed(1), _changed(2), _changed(3)]
    apart = [_merged([member]) for member in members]
    together = _merged(members)
    for key, value in together.items():
        assert torch.allclose(value, torch.stack([one[key] for one in apart]).mean(0), atol=1e-5), key
    key = "bert.encoder.layer.3.attention.self.query.weight"
    assert not torch.allclose(apart[0][key], apart[1][key], atol=1e-2)


def test_mixing_adapters_of_another_rank_is_refused() -> None:
    module = adapted("sequence-classification", rank=2, heads=["classifier", "pooler"], num_labels=3)[0]
    with pytest.raises(RuntimeError, match="size"):
        mix(module, [_changed(1), _changed(2)])
