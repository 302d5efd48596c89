"""profile(): equal to one text at a time, blind to padding, and taken up where it stopped."""

from __future__ import annotations

import doctest
import math
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import course
from course import measures
from course.attention import Attention, AttentionError
from course.measures import corpus, profiling
from course.measures.profiles import EncoderDecoderProfile, Profile, ProfileError
from course.tokens import InputError
from tests import tiny

TEXTS = [
    "the cat sat on the mat", "a", "who reads 10 words reads , and stops .", "unbelievable tokens are cut into pieces",
    "vamos al gimnasio !", "the turtle", "geologists search for water on mars . the rabbit hopped past the turtle",
]  # fmt: skip
PAIRS = [
    ("the cat sat", "on the cat ."), ("a mat , a cat", "water on mars"), ("who reads", "who reads 10 words"),
    ("tokens .", "pieces ."),
]  # fmt: skip


def shares(att: Attention, positions) -> torch.Tensor:
    return measures.share_on(att, positions) if positions else torch.zeros(att.layers, att.heads)


def one_by_one(att: Attention) -> dict[str, tuple[torch.Tensor, int]]:
    """Each measure of the record, and how many rows it is of."""
    n, within = len(att.queries), att.kind != "cross"
    special = {"cls": att.keys.texts[0], "sep": att.keys.texts[-1]}
    positions = {
        name: [i for i in att.keys.special_positions if att.keys.texts[i] == text] for name, text in special.items()
    }
    found = {
        "entropy": (measures.entropy(att), n),
        "confidence": (measures.confidence(att), n),
        "cls_share": (shares(att, positions["cls"]), n),
        "sep_share": (shares(att, positions["sep"]), n),
        "special_share": (shares(att, att.keys.special_positions), n),
        "punctuation_share": (shares(att, measures.punctuation(att.keys)), n),
    }
    rows = n - att.causal
    if rows and len(att.keys) > 1:
        found["normalised_entropy"] = measures.normalised_entropy(att), rows
    if within:
        found |= {
            "mean_distance": (measures.mean_distance(att), n),
            "same_token_share": (measures.same_token_share(att), n),
        }
    if within and n > 1:
        found["previous_token_share"] = measures.previous_token_share(att), n - 1
        found["next_token_share"] = measures.next_token_share(att), n - 1
    if within and att.queries.is_pair:
        ordinary = len(att.queries.in_segment(0)) + len(att.queries.in_segment(1))
        found["cross_sentence_share"] = measures.cross_sentence_share(att), ordinary
        try:
            words = measures.shares.words_of(att.queries)
            sides = [{words[i] for i in att.queries.in_segment(s)} - {None} for s in (0, 1)]
            both = sum(words[i] in sides[1 - att.queries.segments[i]] for i in range(n) if words[i] is not None)
            found["same_word_share"] = measures.same_word_share(att), both
        except AttentionError:
            pass
    return found


def check(found: Profile, atts: list[Attention], *, weigh: str = "tokens") -> None:
    """The profile is the mean of the records' measures, and its errors are those of a ratio."""
    rows: dict[str, list[tuple[torch.Tensor, int]]] = {}
    for att in atts:
        for name, value in one_by_one(att).items():
            rows.setdefault(name, []).append(value)
    for name in found.measures:
        values = torch.stack([value.double() for value, _ in rows[name]])
        n = torch.tensor([count if weigh == "tokens" else 1 for _, count in rows[name]], dtype=torch.double)[
            :, None, None
        ]
        mean = (values * n).sum(0) / n.sum()
        assert torch.allclose(found[name], mean, atol=2e-6), name
        assert found.counts[found.measures.index(name)] == len(n)
        if len(n) > 1:
            spread = ((values - mean) * n).square().sum(0) * len(n) / (len(n) - 1)
            assert torch.allclose(found.error(name), spread.sqrt() / n.sum(), atol=2e-6), name


@pytest.mark.parametrize("make", [tiny.bert, tiny.distilbert, tiny.roberta])
def test_a_profile_is_the_mean_of_the_records(make):
    model = make()
    found = course.profile(model, TEXTS)
    check(found, [course.attend(model, text) for text in TEXTS])
    assert {"cls_share", "sep_share", "mean_distance"} < set(found.measures) and "same_word_share" not in found.measures
    assert found.texts == 7 and found.tokens == sum(len(course.attend(model, text).tokens) for text in TEXTS)


def test_pairs_and_single_texts_can_be_mixed():
    model = tiny.bert()
    found = course.profile(model, [*TEXTS, *PAIRS])
    check(found, [*(course.attend(model, text) for text in TEXTS), *(course.attend(model, *pair) for pair in PAIRS)])
    assert dict(zip(found.measures, found.counts, strict=True))["cross_sentence_share"] == 4
    assert dict(zip(found.measures, found.counts, strict=True))["same_word_share"] == 2


def test_causal_models_count_the_keys_that_a_row_sees():
    model = tiny.gpt2()
    found = course.profile(model, TEXTS)
    check_measures = [name for name in found.measures if name not in ("cls_share", "sep_share")]
    assert list(found.measures) == check_measures
    check(found, [course.attend(model, text) for text in TEXTS])
    assert not found["next_token_share"].any() and not found["special_share"].any()


def test_an_encoder_decoder_has_three_profiles():
    model = tiny.bart()
    found = course.profile(model, PAIRS)
    assert isinstance(found, EncoderDecoderProfile)
    atts = [course.attend(model, *pair) for pair in PAIRS]
    for kind in ("encoder", "decoder", "cross"):
        profile = getattr(found, kind)
        assert profile.kind == kind and "same_word_share" not in profile.measures
        rows = [getattr(att, kind) for att in atts]
        for name in ("entropy", "confidence", "special_share", "punctuation_share", "normalised_entropy"):
            values, n = zip(*(one_by_one(row)[name] for row in rows), strict=True)
            mean = sum(v.double() * c for v, c in zip(values, n, strict=True)) / sum(n)
            assert torch.allclose(profile[name], mean, atol=2e-6), (kind, name)
    assert "mean_distance" in found.decoder.measures and "mean_distance" not in found.cross.measures
    assert (found.encoder.layers, found.cross.layers) == (3, 2)


def test_a_slow_tokenizer_serves_too(tmp_path):
    found = course.profile(tiny.marian(tmp_path), PAIRS)
    assert "sep_share" not in found.encoder.measures and torch.isfinite(found.cross.values).all()


def test_every_text_can_count_the_same():
    model = tiny.bert()
    check(course.profile(model, TEXTS, weigh="texts"), [course.attend(model, t) for t in TEXTS], weigh="texts")


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(TEXTS))), st.integers(1, 200), st.integers(1, 8))
def test_order_batches_and_windows_change_nothing(order, tokens, window):
    expected = course.profile(tiny.bert(), TEXTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(corpus.TOKENS, "cpu", tokens)
        patch.setattr(corpus, "WINDOW", window)
        found = course.profile(tiny.bert(), (TEXTS[i] for i in order))
    assert torch.allclose(found.values, expected.values, atol=1e-6)
    assert torch.allclose(found.errors, expected.errors, atol=1e-6)


def test_what_padding_holds_does_not_count(monkeypatch):
    expected = course.profile(tiny.bert(), TEXTS)

    def spoilt(model, outputs, field):
        layers = [layer.clone() for layer in getattr(outputs, field)]
        for layer in layers:
            for text in range(layer.shape[0]):
                n = int((layer[text, 0, 0] > 0).sum())
                layer[text, :, n:] = 7.0
        return layers

    monkeypatch.setattr(profiling, "_layers", spoilt)
    assert torch.allclose(course.profile(tiny.bert(), TEXTS).values, expected.values, atol=1e-6)


def test_limits_hold_on_the_shipped_model():
    found = course.profile(course.load("minilm", device="cpu"), [" ".join([text] * 3) for text in TEXTS])
    assert found.values.min() >= 0 and found["normalised_entropy"].max() <= 1 and found["confidence"].max() <= 1
    assert found.most("previous_token_share", 1)[0][:2] == (0, 2) and (found["entropy"] < math.log(128)).all()
    assert (found["cls_share"] + found["sep_share"] - found["special_share"]).abs().max() < 1e-6


def test_one_text_has_a_value_and_no_error():
    found = course.profile(tiny.bert(), ["the cat sat"])
    check(found, [course.attend(tiny.bert(), "the cat sat")])
    with pytest.raises(ProfileError, match="of one text only"):
        found.error("entropy")
    assert "±" not in repr(found) and "inf" not in repr(found) + found._repr_html_()


def test_a_run_that_broke_off_ends_with_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "WINDOW", 2)
    model, path = tiny.bert(), tmp_path / "folder" / "cat.checkpoint"
    expected = course.profile(model, TEXTS)

    def broken():
        yield from TEXTS[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        course.profile(model, broken(), checkpoint=path)
    calls = []
    real = profiling._parts
    monkeypatch.setattr(profiling, "_parts", lambda *given: calls.append(len(given[1])) or real(*given))
    found = course.profile(model, iter(TEXTS), checkpoint=path)
    assert sum(calls) == 3  # four of seven were done
    assert torch.equal(found.values, expected.values) and torch.equal(found.errors, expected.errors)
    assert repr(found) == repr(expected)
    assert [p.name for p in path.parent.iterdir()] == ["cat.checkpoint"]
    assert torch.equal(course.profile(model, TEXTS, checkpoint=path).values, expected.values) and sum(calls) == 3


def test_a_foreign_checkpoint_is_refused_and_left_alone(tmp_path):
    model, path = tiny.bert(), tmp_path / "one"
    course.profile(model, TEXTS, checkpoint=path)
    kept = path.read_bytes()
    other = course.wrap(type(model.module)(model.module.config), model.tokenizer, name=model.title)
    cases = [
        ((model, [*TEXTS[:3], "other", *TEXTS[4:]]), {}, "of other texts"),
        ((model, TEXTS[:3]), {}, "of other texts"),
        ((other, TEXTS), {}, "of another model"),
        ((model, TEXTS), {"weigh": "texts"}, "another weigh, 'tokens' and not 'texts'"),
        ((model, TEXTS), {"truncate": True}, "another truncate"),
    ]
    for given_, settings_, message in cases:
        with pytest.raises(ProfileError, match=message):
            course.profile(*given_, checkpoint=path, **settings_)
    assert path.read_bytes() == kept
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ProfileError, match="one is no checkpoint of profile"):
        course.profile(model, TEXTS, checkpoint=path)


def test_a_checkpoint_grows_with_its_corpus(tmp_path):
    model, path = tiny.bert(), tmp_path / "one"
    course.profile(model, TEXTS[:4], checkpoint=path)
    found = course.profile(model, TEXTS, checkpoint=path)
    assert torch.allclose(found.values, course.profile(model, TEXTS).values, atol=1e-9) and found.texts == 7


def test_fingerprint_sees_one_changed_weight_and_no_changed_name():
    model = tiny.classifier()
    before = profiling.fingerprint(model)
    model.module.config.name_or_path = "elsewhere"
    assert profiling.fingerprint(model) == before
    with torch.no_grad():
        next(model.module.parameters()).view(-1)[0] += 1
    assert profiling.fingerprint(model) != before


def test_truncated_texts_are_counted():
    with pytest.raises(InputError, match=r"text 1 \(counted from 0\): this input is"):
        course.profile(tiny.bert(), ["cat", "cat " * 100])
    found = course.profile(tiny.bert(), ["cat", "cat " * 100], truncate=True)
    assert found.truncated == 1 and "1 texts truncated" in repr(found)


def test_what_cannot_be_measured_says_why(monkeypatch):
    with pytest.raises(ProfileError, match="there is no text to measure"):
        course.profile(tiny.bert(), [])
    with pytest.raises(ProfileError, match="weigh must be"):
        course.profile(tiny.bert(), TEXTS, weigh="words")
    with pytest.raises(ProfileError, match="reads images, and profile measures texts"):
        course.profile(tiny.vit(), TEXTS)
    monkeypatch.setattr(tiny.bert().module.config, "_attn_implementation", "sdpa")
    with pytest.raises(AttentionError, match="returned no attention"):
        course.profile(tiny.bert(), TEXTS)


def test_numbers_that_overflowed_are_announced():
    model = tiny.classifier()
    with torch.no_grad():
        model.module.bert.encoder.layer[1].attention.self.query.weight.fill_(float("nan"))
    with pytest.raises(ProfileError, match="NaN or infinity"):
        course.profile(model, TEXTS)


def test_the_model_is_left_as_it_was():
    model = tiny.classifier()
    before = profiling.fingerprint(model), [p.requires_grad for p in model.module.parameters()]
    course.profile(model, TEXTS)
    assert (profiling.fingerprint(model), [p.requires_grad for p in model.module.parameters()]) == before
    assert all(p.grad is None for p in model.module.parameters()) and not model.module.training


def test_a_bar_is_shown_in_a_terminal_and_nothing_elsewhere(capfd, monkeypatch):
    course.profile(tiny.bert(), iter(TEXTS))
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    course.profile(tiny.bert(), TEXTS)
    shown = capfd.readouterr()
    assert shown.out == "" and "profile: 100%" in shown.err and "7/7" in shown.err


def test_example_in_the_docstring_runs():
    results = doctest.testmod(profiling)
    assert results.attempted and not results.failed
