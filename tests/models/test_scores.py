"""The scores that the catalogue states, measured again; needs --data=DIR."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from course.models import Model, load

TOLERANCE = 0.002


@pytest.fixture(scope="module")
def pairs(data: Path) -> tuple[list[str], list[str], np.ndarray]:
    """First sentences, second sentences, and whether people called them paraphrases."""
    path = data / "mrpc" / "msr_paraphrase_test.txt"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    same = np.array([row["Quality"] == "1" for row in rows])
    return [row["#1 String"] for row in rows], [row["#2 String"] for row in rows], same


@pytest.mark.scores
def test_cosine_of_minilm_tells_paraphrases_as_well_as_the_catalogue_says(pairs) -> None:
    first, second, same = pairs
    assert len(same) == 1725 and same.sum() == 1147
    model = load("minilm")
    with torch.no_grad():
        cosine = torch.cosine_similarity(embeddings(model, first), embeddings(model, second)).numpy()
    (stated,) = model.scores
    assert stated.interval is not None
    measured = (roc_auc(cosine, same), *bootstrap(cosine, same))
    assert measured == pytest.approx((stated.value, *stated.interval), abs=TOLERANCE), f"measured {measured}"


def embeddings(model: Model, texts: list[str]) -> torch.Tensor:
    """Mean of the last hidden states over all tokens that are not padding, as the model was trained for."""
    means = torch.empty(len(texts), model.module.config.hidden_size)
    for batch in batches(texts, size=64):
        inputs = model.tokenizer([texts[i] for i in batch], padding=True, return_tensors="pt")
        states = model.module(**inputs.to(model.device)).last_hidden_state.cpu()
        mask = inputs["attention_mask"].cpu()[..., None]
        means[batch] = (states * mask).sum(1) / mask.sum(1)
    return means


def batches(texts: list[str], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    yield from (order[start : start + size] for start in range(0, len(order), size))


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a positive is scored above a negative: Mann and Whitney's U by the number of pairs."""
    wins = mannwhitneyu(scores[positive], scores[~positive]).statistic
    return float(wins / (positive.sum() * (~positive).sum()))


def bootstrap(scores: np.ndarray, positive: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """95 % percentile interval over resampled pairs."""
    random = np.random.default_rng(0)
    drawn = (random.integers(0, len(scores), len(scores)) for _ in range(draws))
    low, high = np.percentile([roc_auc(scores[i], positive[i]) for i in drawn], [2.5, 97.5])
    return float(low), float(high)


def test_roc_auc_of_a_hand_worked_case() -> None:
    assert roc_auc(np.array([0.9, 0.4, 0.5, 0.1]), np.array([True, True, False, False])) == 0.75
