"""The record of a profile: what it shows, and what it refuses."""

from __future__ import annotations

import importlib
import sys

import pytest
import torch

from course.measures.profiles import EncoderDecoderProfile, HeadValue, Profile, ProfileError, Sums


def made(model: str = "M", texts: int = 3) -> Profile:
    """Two measures of one layer and two heads, from sums that can be checked by hand."""
    sums = Sums.empty(("entropy", "same_word_share", "confidence"), 1, 2)
    for s, n in (((2.0, 4.0), 2), ((6.0, 3.0), 3), ((1.0, 5.0), 5))[:texts]:
        table = torch.tensor([[[[s[0], 0.0, n * 0.25], [s[1], 0.0, n * 0.5]]]])
        sums.add(table, torch.tensor([[n, 0, n]]), "tokens")
    return sums.profile(model=model, kind="self", weigh="tokens", texts=texts, truncated=0)


def test_means_and_errors_by_hand():
    found = made()
    assert found.measures == ("entropy", "confidence") and found.tokens == 10
    assert found["entropy"].tolist() == [[0.9, 1.2]]
    first = ((2 - 1.8) ** 2 + (6 - 2.7) ** 2 + (1 - 4.5) ** 2) * 3 / 2
    assert found.error("entropy")[0, 0].item() == pytest.approx(first**0.5 / 10)
    assert found.error("confidence").tolist() == [[0.0, 0.0]]  # 0.25 and 0.5 in every text


def test_heads_with_most_come_first():
    assert made().most("entropy") == [
        HeadValue(0, 1, pytest.approx(1.2), pytest.approx(float(made().error("entropy")[0, 1]))),
        HeadValue(0, 0, pytest.approx(0.9), pytest.approx(float(made().error("entropy")[0, 0]))),
    ]
    assert str(made().most("confidence", 1)[0]) == "layer 0 head 1 (0.500 ± 0.000)"
    assert str(made(texts=1).most("confidence", 1)[0]) == "layer 0 head 1 (0.500)"


def test_unknown_measure_is_answered_with_those_that_there_are():
    with pytest.raises(ProfileError, match="no measure 'rollout' here; there is entropy, confidence"):
        made()["rollout"]


def test_table_has_a_row_a_head_and_no_live_markup():
    html = made("<img src=x onerror=alert(1)>")._repr_html_()
    assert html.count("<tr>") == 3 and "<img" not in html and "&lt;img" in html
    assert "entropy error" in html and "same word" not in html


def test_repr_names_what_it_is_of():
    lines = repr(made()).splitlines()
    assert lines[0] == "profile of the self attention of M: 1 layers × 2 heads, 3 texts, 10 tokens"
    assert lines[1].startswith("  entropy: 1.050 on average, most in layer 0 head 1 (1.200 ±")
    assert repr(EncoderDecoderProfile(made(), made(), made())).count("profile of") == 3


def test_frame_has_a_row_a_head_or_says_what_to_install(monkeypatch):
    if importlib.util.find_spec("pandas"):
        frame = made().to_frame()
        assert list(frame) == ["layer", "head", "entropy", "entropy_error", "confidence", "confidence_error"]
        assert len(frame) == 2 and list(made(texts=1).to_frame()) == ["layer", "head", "entropy", "confidence"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ProfileError, match="pip install pandas"):
        made().to_frame()


def test_a_measure_that_does_not_vary_has_an_error_of_zero():
    sums = Sums.empty(("entropy",), 1, 1)
    for n in range(1, 200):
        sums.add(torch.tensor([[[[n * 0.3]]]]), torch.tensor([[n]]), "tokens")
    found = sums.profile(model="M", kind="self", weigh="tokens", texts=199, truncated=0)
    assert found.error("entropy").item() < 1e-7 and torch.isfinite(found.errors).all()
