"""The logit lens: its last row is the model, its norm is used once, and its ranks are those counted by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import course
from course.causal.lenses import Lens
from course.causal.logit_lens import layer_logits
from course.causal.parts import causal_roles
from course.causal.vocabulary import Vocabulary
from tests import causal_models, tiny
from tests.views.synthetic import tokens_of

TEXT = "the 🦜 cat sat on the mat , the rabbit"
MODELS = [
    tiny.gpt2, causal_models.gpt2, lambda: causal_models.gpt2(True), causal_models.llama,
    lambda: causal_models.llama(True), causal_models.opt,
]  # fmt: skip
NAMES = ["GPT-2", "GPT-2 untied", "GPT-2 tied", "Llama untied", "Llama tied", "OPT"]


def by_hand(logits, texts=None, ids=None):
    """A lens of layers x positions x vocabulary."""
    logits = torch.tensor(logits)
    count = logits.shape[1]
    vocabulary = Vocabulary(tiny.byte_pairs(marks=False), logits.shape[2], "Made up")
    texts = texts or tuple("abcdefgh"[:count])
    return Lens(logits, ids or tuple(range(count)), tokens_of(texts), vocabulary, "Made up")


@pytest.mark.parametrize("make", MODELS, ids=NAMES)
def test_the_last_layer_has_the_logits_of_the_model(make):
    model = make()
    inputs = model.tokenizer(TEXT, return_tensors="pt")
    with torch.no_grad():
        logits = model.module(**inputs).logits[0]
    found = course.lens(model, TEXT)
    assert (found.logits[-1] - logits).abs().max() <= 1e-5
    assert found.logits.shape == (model.layers + 1, len(found.tokens), 330)
    assert found.labels == ("embeddings", *(f"layer {i}" for i in range(model.layers)))


def test_the_final_norm_is_used_exactly_once_in_every_layer():
    """The layers add nothing, so each row is norm and unembedding of the word vector; twice would be another number."""
    model = causal_models.empty_gpt2()
    norm = model.module.transformer.ln_f
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 3, 32))
        norm.bias.copy_(torch.linspace(-1, 2, 32))
    ids = model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    vectors = model.module.transformer.wte.weight[ids[0]].detach()
    centred = vectors - vectors.mean(-1, keepdim=True)
    scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt()
    once = scaled * torch.linspace(0.5, 3, 32) + torch.linspace(-1, 2, 32)
    found = course.lens(model, TEXT).logits
    for row in found:
        assert torch.allclose(row, once @ model.module.lm_head.weight.detach().T, atol=1e-4)
    assert not torch.allclose(found[0], norm(once).detach() @ model.module.lm_head.weight.detach().T, atol=0.1)


def test_every_row_is_norm_and_unembedding_of_its_hidden_state():
    model = causal_models.llama()
    states = {}
    handles = [
        block.register_forward_hook(
            lambda _m, _i, output, i=i: states.__setitem__(i, output[0] if isinstance(output, tuple) else output)
        )
        for i, block in enumerate(model.module.model.layers)
    ]
    with torch.no_grad():
        model.module(**model.tokenizer(TEXT, return_tensors="pt"))
        for handle in handles:
            handle.remove()
        found = course.lens(model, TEXT).logits
        for i, state in states.items():
            assert torch.allclose(found[i + 1], model.module.lm_head(model.module.model.norm(state))[0], atol=1e-5)


@pytest.mark.parametrize("make", MODELS, ids=NAMES)
def test_a_batch_gives_what_single_texts_give(make):
    model = make()
    texts = ["the cat", TEXT, "geologists search"]
    batch = model.tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
    found = layer_logits(model.module, batch["input_ids"], batch["attention_mask"])
    for row, text in enumerate(texts):
        alone = course.lens(model, text).logits
        assert (found[:, row, : alone.shape[1]] - alone).abs().max() <= 2e-5


def test_ranks_probabilities_and_guesses_by_hand():
    lens = by_hand([[[0.0, 1.0, 1.0, -1.0]], [[2.0, 2.0, 5.0, 2.0]]])
    assert lens.ranks([0, 1, 2, 3]).tolist() == [[[3, 1, 1, 4]], [[2, 2, 1, 2]]]
    e = torch.tensor([0.0, 1.0, 1.0, -1.0], dtype=torch.float64).exp()
    assert lens.probabilities([3])[0, 0, 0] == pytest.approx(float(e[3] / e.sum()), abs=1e-9)
    assert [(one.number, one.rank) for one in lens.top(0, 0, 3)] == [(1, 1), (2, 1), (0, 3)]
    assert [one.number for one in lens.top(1, 0, 10)] == [2, 0, 1, 3]
    assert lens.final.tolist() == [2] and lens.ranks(torch.tensor([[2]]))[:, 0, 0].tolist() == [1, 1]


def test_when_a_choice_is_settled_by_hand():
    # Position 0: 1 first, then 0, then 1 for good. Position 1: always 0. Position 2: only at last.
    lens = by_hand([
        [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]],
        [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]],
        [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]],
        [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]],
    ])  # fmt: skip
    assert lens.settled.tolist() == [2, 0, 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 1000), st.sampled_from([1e-3, 1.0, 1e4]))
def test_guesses_are_the_sorted_vocabulary_with_probabilities_that_sum_to_one(size, positions, seed, scale):
    draw = torch.Generator().manual_seed(seed)
    logits = scale * torch.randint(-3, 4, (2, positions, size), generator=draw).float()  # with many ties
    lens = by_hand(logits.tolist())
    assert torch.allclose(lens.probabilities(range(size)).sum(-1), torch.ones(2, positions, dtype=torch.float64))
    for row in range(2):
        for place in range(positions):
            order = sorted(range(size), key=lambda i: (-float(logits[row, place, i]), i))
            found = lens.top(row, place, size)
            assert [one.number for one in found] == order
            assert [one.rank for one in found] == lens.ranks(order)[row, place].tolist()


def test_watched_tokens_are_followed():
    lens = course.lens(tiny.gpt2(), TEXT)
    watched = lens.watch([" the", 5, "the", " the"])
    assert watched.texts == ("␣the", "!", "the") and watched.ranks.shape == (3, len(lens.tokens), 3)
    numbers = list(watched.numbers)
    assert torch.equal(watched.probabilities, lens.logits.double().softmax(-1)[..., numbers]) or torch.allclose(
        watched.probabilities, lens.logits.double().softmax(-1)[..., numbers], atol=1e-12
    )
    assert watched.ranks[1, 2, 0] == (lens.logits[1, 2] > lens.logits[1, 2, numbers[0]]).sum() + 1
    assert lens.watch("<s>").numbers == (0,) and lens.watch("Ġthe").numbers == (numbers[0],)
    assert "␣the: " in repr(watched) and " → " in repr(watched)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (" kingdom", r"' kingdom' is not one token of tiny GPT-2, it is cut into 7: '␣' \(\d+\), 'k' \(\d+\)"),
        ("🦜", r"cut into 4: '⟨F0⟩' \(\d+\), '⟨9F⟩'"),
        (330, "tokens 0 to 329, not 330"),
        (-1, "tokens 0 to 329"),
        (True, "or its number, not True"),
        ("", "or its number, not ''"),
        ([], "at least one token"),
    ],
)
def test_what_cannot_be_watched_is_said(word, message):
    with pytest.raises(course.LensError, match=message):
        course.lens(tiny.gpt2(), "the cat").watch(word)


def test_the_error_points_to_the_same_word_with_or_without_a_space():
    tokenizer = tiny.byte_pairs(marks=False)
    words = map(Vocabulary(tokenizer, 330, "tiny").written, range(330))
    whole = next(word for word in words if word[0] == " " and len(tokenizer(word[1:])["input_ids"]) > 1)
    with pytest.raises(course.LensError, match=f"; '{whole}' is a single token"):
        course.lens(tiny.gpt2(), "the cat").watch(whole[1:])


def test_models_that_are_not_causal_are_refused_with_the_roles_that_are():
    assert "shakespeare" in causal_roles() and "minilm" not in causal_roles()
    with pytest.raises(course.LensError, match=r"reads the whole text at once.*Roles that are: shakespeare"):
        course.lens(tiny.bert(), TEXT)
    with pytest.raises(course.LensError, match="encoder–decoder"):
        course.lens(tiny.bart(), TEXT)
    headless = course.wrap(tiny.gpt2().module.transformer, tiny.gpt2().tokenizer, name="headless")
    with pytest.raises(course.LensError, match="without the head"):
        course.lens(headless, TEXT)
    with pytest.raises(course.InputError, match="empty"):
        course.lens(tiny.gpt2(), " ")


def test_a_model_that_does_more_than_norm_and_unembedding_is_refused():
    model = causal_models.gpt2.__wrapped__()
    model.module.register_forward_hook(lambda _m, _i, output: output.__setitem__("logits", output.logits * 2))
    with pytest.raises(course.LensError, match="does more to its logits"):
        course.lens(model, TEXT)
    model = causal_models.gpt2.__wrapped__()
    model.module.transformer.ln_f, model.module.transformer.another = None, model.module.transformer.ln_f
    with pytest.raises(course.LensError, match="no final norm"):
        course.lens(model, TEXT)
    model = causal_models.gpt2.__wrapped__()
    norm = model.module.transformer.ln_f
    model.module.transformer.h[0].register_forward_hook(lambda _m, _i, output: (norm(output), output)[1])
    with pytest.raises(course.LensError, match="final norm 2 times"):
        course.lens(model, TEXT)


def test_without_a_head_the_lens_shows_the_model_without_it():
    model = tiny.gpt2()
    inputs = model.tokenizer(TEXT, return_tensors="pt")
    with course.ablated(model, {(0, 1)}) as ablation:
        found = course.lens(model, TEXT).logits[-1]
        with torch.no_grad():
            logits = model.module(**inputs).logits[0]
    assert ablation.changed
    assert (found - logits).abs().max() <= 1e-5


def test_nothing_of_the_model_is_changed_also_after_an_exception():
    model = causal_models.gpt2.__wrapped__()
    norm = model.module.transformer.ln_f
    model.module.train()
    model.module.transformer.h[1].eval()
    before = {name: parameter.clone() for name, parameter in model.module.named_parameters()}
    course.lens(model, TEXT)
    handle = model.module.transformer.h[1].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        course.lens(model, TEXT)
    handle.remove()
    assert not norm._forward_pre_hooks and not norm._forward_hooks
    assert model.module.training and not model.module.transformer.h[1].training
    for name, parameter in model.module.named_parameters():
        assert parameter.grad is None and parameter.requires_grad and torch.equal(parameter, before[name])


def test_numbers_that_are_none_are_announced():
    model = causal_models.gpt2.__wrapped__()
    with torch.no_grad():
        model.module.transformer.h[0].mlp.c_proj.bias[0] = float("nan")
    with pytest.raises(course.LensError, match="not numbers"):
        course.lens(model, TEXT)
    with pytest.raises(course.LensError, match="NaN"):
        by_hand([[[0.0, float("inf")]], [[0.0, 0.0]]])


def test_wrong_shapes_rows_and_positions_are_refused(monkeypatch):
    lens = by_hand([[[0.0, 1.0]], [[2.0, 2.0]]])
    for arguments, message in (((2, 0), "no row 2"), ((0, 1), "no position 1"), ((0, 0, 0), "k must be")):
        with pytest.raises(course.LensError, match=message):
            lens.top(*arguments)
    with pytest.raises(course.LensError, match="from 0 to 1"):
        lens.ranks([2])
    with pytest.raises(course.LensError, match="do not fit"):
        by_hand([[[0.0, 1.0]], [[2.0, 2.0]]], texts=("a", "b"), ids=(0, 1))
    monkeypatch.setattr("course.causal.logit_lens.MOST_NUMBERS", 100)
    with pytest.raises(course.LensError, match="shorten the text"):
        course.lens(tiny.gpt2(), TEXT)


def test_one_token_is_enough_and_the_words_say_what_is_there():
    lens = course.lens(tiny.gpt2(), "!")
    assert len(lens.tokens) == 1 and lens.settled.shape == (1,)
    assert repr(lens).splitlines()[0] == "Logit lens of tiny GPT-2: 2 layers, 1 tokens"
    assert repr(lens).count("layer ") == 2 and "embeddings" in repr(lens)
    long = course.lens(tiny.gpt2(), "cat " * 100, truncate=True)
    assert "truncated: " in repr(long)


def test_tokens_are_written_so_that_they_can_be_told_apart():
    vocabulary = Vocabulary(tiny.byte_pairs(marks=False), 400, "tiny")
    texts = [vocabulary.text(i) for i in range(330)]
    assert len(set(texts)) == 330 and all(text.isprintable() and text for text in texts)
    assert vocabulary.text(399) == "⟨399⟩"
