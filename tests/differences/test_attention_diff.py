"""Differences of attention: hand-worked cases, scipy's numbers, identities, and what is refused."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

import course
from course.attention import Attention, AttentionError
from course.differences.attention_diff import AttentionDiff, diff
from course.differences.comparing import DiffError
from course.movements import Movement, largest, signed
from tests.views.synthetic import PAIR, SENTENCE, attention, encoder_decoder, tokens_of


def of(*rows, model="M", texts=None):
    """One head with these rows."""
    tokens = tokens_of(texts or tuple("abcdefgh"[: len(rows[0])]))
    return Attention(torch.tensor([[rows]]), tokens, tokens, "self", model)


def two(**settings):
    return attention(seed=1, **settings), attention(seed=2, **settings)


def test_two_tokens_worked_by_hand():
    found = diff(of([1.0, 0.0], [0.5, 0.5]), of([0.5, 0.5], [0.5, 0.5]))
    assert found.change.tolist() == [[[[-0.5, 0.5], [0.0, 0.0]]]]
    assert found.total_variation.tolist() == [[0.25]]
    first_row = -0.75 * math.log(0.75) - 0.25 * math.log(0.25) - math.log(2) / 2
    assert found.jensen_shannon.item() == pytest.approx(first_row / 2, abs=1e-7)
    assert found.head(0, 0).tolist() == [[-0.5, 0.5], [0.0, 0.0]]


def test_rows_with_nothing_in_common_are_as_far_apart_as_can_be():
    found = diff(of([1.0, 0.0], [1.0, 0.0]), of([0.0, 1.0], [0.0, 1.0]))
    assert found.total_variation.item() == 1
    assert found.jensen_shannon.item() == pytest.approx(math.log(2), abs=1e-7)


def test_nothing_changes_against_itself():
    att = attention()
    found = diff(att, att)
    assert not found.change.any() and not found.total_variation.any() and not found.jensen_shannon.any()
    assert found.moved() == [] and "nothing changed" in repr(found) and "nan" not in repr(found)


def test_jensen_shannon_is_scipys_distance_squared():
    before, after = two(layers=2, heads=3)
    rows = [
        jensenshannon(p, q, base=math.e) ** 2
        for p, q in zip(
            before.weights.double().reshape(-1, 8).numpy(), after.weights.double().reshape(-1, 8).numpy(), strict=True
        )
    ]
    expected = np.array(rows).reshape(2, 3, 8).mean(-1)
    assert np.abs(diff(before, after).jensen_shannon.numpy() - expected).max() < 1e-6


def test_total_variation_is_half_of_the_absolute_changes():
    before, after = two(layers=2, heads=3)
    expected = (after.weights - before.weights).abs().sum(-1).mean(-1) / 2
    assert torch.allclose(diff(before, after).total_variation, expected, atol=1e-6)


def test_backwards_is_the_negative_with_the_same_distances():
    before, after = two()
    there, back = diff(before, after), diff(after, before)
    assert torch.equal(there.change, -back.change)
    assert torch.equal(there.total_variation, back.total_variation)
    assert torch.allclose(there.jensen_shannon, back.jensen_shannon, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.sampled_from([0.0, 1.0, 30.0, 300.0]), st.integers(0, 10_000))
def test_identities_hold_for_any_weights(tokens, sharpness, seed):
    generator = torch.Generator().manual_seed(seed)
    names = tokens_of(tuple(f"t{i}" for i in range(tokens)))
    before, after = (
        Attention(
            (sharpness * torch.randn(2, 2, tokens, tokens, generator=generator)).softmax(-1), names, names, "self", "M"
        )
        for _ in range(2)
    )
    found = diff(before, after)
    assert found.identities().hold and "✓" in repr(found.identities())
    for values, most in ((found.total_variation, 1.0), (found.jensen_shannon, math.log(2) + 1e-7)):
        assert torch.isfinite(values).all() and values.min() >= 0 and values.max() <= most
    sizes = [abs(one.change) for one in found.moved(1000)]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == int((found.change != 0).sum())


def test_rows_that_do_not_sum_to_zero_are_reported():
    found = diff(*two())
    found.change[0, 0, 0, 0] += 0.1
    assert not found.identities().hold and found.identities().row_sum == pytest.approx(0.1, abs=1e-5)


def test_what_moved_most_is_in_order_with_ties_in_reading_order():
    found = diff(of([1.0, 0.0], [0.0, 1.0]), of([0.5, 0.5], [0.25, 0.75]))
    assert [(one.query, one.key, one.change) for one in found.moved()] == [
        ("a", "a", -0.5), ("a", "b", 0.5), ("b", "a", 0.25), ("b", "b", -0.25),
    ]  # fmt: skip
    assert found.moved(1)[0] == Movement(0, 0, "a", "a", 1.0, 0.5, -0.5, 0, 0)
    assert str(found.moved(2)[1]) == "a → b 0.00 to 0.50 (+0.50)"
    assert [one.change for one in found.moved(only="rises")] == [0.5, 0.25]
    assert [one.change for one in found.moved(only="falls")] == [-0.5, -0.25]
    assert found.moved(0) == []


def test_search_for_what_moved_can_be_limited():
    before, after = two()
    found = diff(before, after)
    some = found.moved(5, layers=[2, 0], heads=[7], rows=range(2, 4), columns=[0, 5])
    change = found.change[[2, 0]][:, [7], 2:4][..., [0, 5]]
    assert [abs(one.change) for one in some] == change.abs().flatten().sort(descending=True).values[:5].tolist()
    for one in some:
        assert one.layer in (0, 2) and one.head == 7 and one.row in (2, 3) and one.column in (0, 5)
        assert (one.query, one.key) == (SENTENCE[one.row], SENTENCE[one.column])
        assert one.change == found.change[one.layer, one.head, one.row, one.column].item()
        assert one.before == before.weights[one.layer, one.head, one.row, one.column].item()
        assert one.after == after.weights[one.layer, one.head, one.row, one.column].item()
    with pytest.raises(AttentionError, match="head must be a whole number from 0 to 11, not 12"):
        found.moved(heads=[12])
    with pytest.raises(DiffError, match="only must be 'rises', 'falls' or None"):
        found.moved(only="up")


def test_heads_by_change_are_the_largest_total_variations():
    found = diff(*two(layers=2, heads=3))
    heads = found.heads_by_change()
    assert [one.total_variation for one in heads] == found.total_variation.flatten().sort(
        descending=True
    ).values.tolist()
    assert found.heads_by_change(2) == heads[:2]
    assert all(found.total_variation[one.layer, one.head].item() == one.total_variation for one in heads)
    assert f"layer {heads[0].layer} head {heads[0].head} ({heads[0].total_variation:.2f})" in repr(found)


@pytest.mark.parametrize(("layer", "head"), [(3, 0), (0, 12), (-1, 0), (0, True), (0, 1.0)])
def test_head_checks_its_indices(layer, head):
    with pytest.raises(AttentionError, match="must be a whole number from 0 to"):
        diff(*two()).head(layer, head)


def test_words_of_a_difference_are_the_difference_of_words():
    tokens = tokens_of(("play", "##ing", "cat"))
    tokens = type(tokens)(**{**tokens.__dict__, "words": (0, 0, 1)})
    before, after = (
        Attention(torch.tensor([[rows]]), tokens, tokens, "self", "M")
        for rows in (
            [[0.2, 0.3, 0.5], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]],
            [[0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.0, 1.0, 0.0]],
        )
    )
    merged = diff(before, after).words()
    expected = torch.tensor([[0.2, -0.2], [1.0, -1.0]])
    assert torch.allclose(merged.head(0, 0), expected, atol=1e-6) and merged.identities().hold


def test_rows_that_only_special_tokens_had_are_not_compared():
    texts = ("[CLS]", "a", "b")
    gone, there = [[1.0, 0, 0], [1.0, 0, 0], [0, 0.5, 0.5]], [[1.0, 0, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    one_side = diff(of(*gone, texts=texts), of(*there, texts=texts)).without_special()
    assert one_side.compared.tolist() == [[[False, True]]]
    assert one_side.total_variation.item() == 0 and one_side.jensen_shannon.item() == 0
    assert one_side.identities().hold and "1 rows have weights on one side at most" in repr(one_side)
    nothing = [[1.0, 0, 0]] * 3
    neither = diff(of(*nothing, texts=texts), of(*nothing, texts=texts)).without_special()
    for values in (neither.change, neither.total_variation, neither.jensen_shannon):
        assert not values.any() and torch.isfinite(values).all()


def test_encoder_decoder_gives_three():
    att, other = encoder_decoder(), encoder_decoder()
    found = diff(att, other)
    assert (found.encoder.kind, found.decoder.kind, found.cross.kind) == ("encoder", "decoder", "cross")
    assert found.before.cross is att.cross and found.after.encoder is other.encoder
    assert len(repr(found).splitlines()) == 9
    assert found.without_special().cross.identities().hold and found.words().decoder.identities().hold


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (attention(queries=PAIR), r"tokens differ in number, 8 before and 11 after and at position 1, 'The' before"),
        (
            attention(queries=(*SENTENCE[:2], "dog", *SENTENCE[3:])),
            r"differ at position 2, 'cat' before and 'dog' after",
        ),
        (attention(second=4), r"tokens look the same, but their segments differ: use the same tokenizer"),
        (attention(layers=2), r"before has 3 layers × 12 heads and after has 2 layers × 12 heads.*stage='pretrained'"),
        (attention(kind="encoder"), r"before is self attention and after is encoder attention: compare like with like"),
        (encoder_decoder(), r"the other a single self attention: take \.encoder, \.decoder or \.cross"),
        ("text", r"after must be an Attention, not str: call course\.attend\(model, text\) first"),
    ],
    ids=["number", "token", "segments", "layers", "kind", "encoder-decoder", "text"],
)
def test_what_cannot_be_compared_is_refused(after, message):
    with pytest.raises(DiffError, match=message):
        diff(attention(), after)


def test_same_tokens_of_different_texts_are_refused():
    after = attention()
    tokens = type(after.queries)(**{**after.queries.__dict__, "sources": ("another",)})
    with pytest.raises(DiffError, match="tokens are the same but the texts that they come from are not"):
        diff(attention(), Attention(after.weights, tokens, tokens, "self", "M"))


def test_source_tokens_of_cross_attention_are_compared_too():
    cross = encoder_decoder().cross
    other = attention(2, 4, tuple(cross.queries), ("Ein", "dog", "runs", "</s>"), kind="cross")
    with pytest.raises(DiffError, match="the source tokens differ at position 0"):
        diff(cross, other)


def test_table_of_heads_needs_pandas_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DiffError, match="pip install pandas"):
        diff(*two()).to_frame()


def test_table_of_heads_is_handed_to_pandas(monkeypatch):
    class Pandas:
        DataFrame = dict

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    found = diff(*two(layers=2, heads=3))
    table = found.to_frame()
    assert list(table) == ["layer", "head", "total_variation", "jensen_shannon"]
    assert table["layer"] == [0, 0, 0, 1, 1, 1] and table["head"] == [0, 1, 2, 0, 1, 2]
    assert table["total_variation"] == found.total_variation.flatten().tolist()


@pytest.mark.parametrize(
    "first",
    ["course.differences.attention_diff", "course.differences.comparing", "course.views.difference_views", "course"],
)
def test_the_function_is_not_hidden_by_a_module(first):
    code = f"import {first}, course; print(callable(course.diff), callable(course.diff_view), course.diff.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "course.differences.attention_diff"]


def test_no_module_has_the_name_of_a_public_function():
    for name in ("diff", "diff_view"):
        for package in ("course", "course.views"):
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(f"{package}.{name}")
    assert course.diff is diff and course.AttentionDiff is AttentionDiff and course.DiffError is DiffError


@pytest.mark.parametrize(
    ("change", "digits", "text"),
    [(0.456, 2, "+0.46"), (-0.456, 2, "−0.46"), (-0.001, 2, "0.00"), (0.0, 3, "0.000"), (-0.0006, 3, "−0.001")],
)
def test_changes_are_printed_with_their_sign(change, digits, text):
    assert signed(change, digits) == text


def test_largest_of_nothing_is_nothing():
    assert largest(torch.zeros(2, 2), 5) == [] and largest(torch.zeros(0, 2), 5) == []
    assert largest(torch.tensor([[1.0, 2.0], [2.0, 0.0]]), 5) == [(0, 1), (1, 0), (0, 0)]
