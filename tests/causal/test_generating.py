"""Generation: the same tokens as the library writes, tokens that stay as written, and sums that can be checked."""

import pytest
import torch

import course
from course.attributions.attribution import Attribution
from course.causal.continuation import continued
from course.tokenising import tokenise
from tests import causal_models, tiny

TEXT = "the 🦜 cat sat on the"
MODELS = [tiny.gpt2, causal_models.gpt2, causal_models.llama, causal_models.opt]


@pytest.mark.parametrize("make", MODELS)
def test_greedy_tokens_are_those_of_the_library(make):
    model = make()
    inputs = model.tokenizer(TEXT, return_tensors="pt")
    own = model.module.generate(**inputs, max_new_tokens=12, do_sample=False, pad_token_id=1)
    found = course.generate(model, TEXT, 12, method=None)
    assert list(found.numbers) == own[0, inputs["input_ids"].shape[1] :].tolist()
    assert all(step.rank == 1 and step.attribution is None for step in found)


def test_it_stops_where_the_model_ends_the_text():
    model = causal_models.gpt2.__wrapped__()
    first = course.generate(model, TEXT, 1, method=None).numbers[0]
    model.module.generation_config.eos_token_id = [first, 7]
    found = course.generate(model, TEXT, 12)
    assert found.ended and found.numbers == (first,) and "ended the text" in repr(found)
    model.module.generation_config.eos_token_id = None
    assert len(course.generate(model, TEXT, 12, method=None)) == 12


def test_drawn_tokens_come_from_the_seed_and_follow_the_distribution():
    model = tiny.gpt2()
    draws = [course.generate(model, TEXT, 6, temperature=1.0, seed=seed, method=None).numbers for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    cold = course.generate(model, TEXT, 6, temperature=1e-4, method=None)
    assert cold.numbers == course.generate(model, TEXT, 6, method=None).numbers
    state = torch.random.get_rng_state()
    course.generate(model, TEXT, 2, temperature=1.0)
    assert torch.equal(state, torch.random.get_rng_state())


def test_probabilities_and_ranks_are_those_of_the_model():
    model = causal_models.llama()
    found = course.generate(model, TEXT, 4, temperature=2.0, method=None)
    ids = model.tokenizer(TEXT, return_tensors="pt")["input_ids"][0].tolist()
    for step in found:
        with torch.no_grad():
            logits = model.module(torch.tensor([ids])).logits[0, -1]
        assert step.probability == pytest.approx(float(logits.softmax(-1)[step.number]), rel=1e-5)
        assert step.rank == int((logits > logits[step.number]).sum()) + 1
        ids.append(step.number)


@pytest.mark.parametrize(
    ("make", "baseline"), [*((make, "mean") for make in MODELS), (tiny.gpt2, "zero"), (causal_models.gpt2, "zero")]
)
def test_integrated_gradients_sum_to_the_change(make, baseline):
    model = make()
    found = course.generate(model, TEXT, 3, method="integrated_gradients", baseline=baseline)
    tokens = len(found.tokens) - 3
    for i, step in enumerate(found):
        saliency = step.attribution
        assert len(saliency) == tokens + i and saliency.complete and saliency.target == step.text
        assert float(saliency.values.sum()) == pytest.approx(saliency.change, abs=1e-3 * abs(saliency.change) + 1e-5)
        with torch.no_grad():
            ids = torch.tensor([[*model.tokenizer(TEXT)["input_ids"], *found.numbers[:i]]])
            logit = float(model.module(ids).logits[0, -1, step.number])
        assert saliency.score == pytest.approx(logit, abs=1e-4)


def test_sums_that_are_not_complete_are_announced():
    """Without positions a vector of zeros has no direction, and a norm makes a cliff of it that no steps resolve."""
    found = course.generate(
        causal_models.llama(), TEXT, 1, method="integrated_gradients", baseline="zero", most_steps=64
    )
    assert found[0].attribution.complete is False and "NOT within" in repr(found[0].attribution)
    assert "Of 1 sums 1 are NOT within 0.10%" in course.generation_view(found).summary


def test_gradient_x_input_by_autograd():
    model = tiny.gpt2()
    step = course.generate(model, TEXT, 1)[0]
    ids = model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    vectors = model.module.get_input_embeddings()(ids).detach().requires_grad_()
    gradient = torch.autograd.grad(model.module(inputs_embeds=vectors).logits[0, -1, step.number], vectors)[0]
    assert torch.allclose(step.attribution.values, (gradient * vectors)[0].sum(-1).double(), atol=1e-5)
    assert step.attribution.tolerance is None and step.attribution.complete is None


def test_a_probability_can_be_explained():
    step = course.generate(tiny.gpt2(), TEXT, 1, of="probability", method="integrated_gradients")[0]
    assert step.attribution.score == pytest.approx(step.probability, rel=1e-4) and step.attribution.of == "probability"


def test_rows_at_once_change_nothing():
    one, many = (
        course.generate(tiny.gpt2(), TEXT, 2, method="integrated_gradients", batch_size=rows).saliency
        for rows in (1, 64)
    )
    assert torch.allclose(one, many, atol=1e-5)
    assert one.shape[0] == 2 and one[0, -2:].tolist() == [0, 0] and one[1, -1] == 0


@pytest.mark.parametrize("text", [TEXT, "unbelievable tokens, the\ncat", "who reads 10 words? 🦜🦜 é"])
def test_tokens_that_go_on_are_those_of_the_whole_text(text):
    """Every cut between characters: texts, offsets and pieces are as if the text had been typed."""
    model = tiny.gpt2()
    whole, _ = tokenise(model, text)
    tried = 0
    for count in range(1, len(whole)):
        if whole.offsets[count] == whole.offsets[count - 1] or whole.offsets[count][0] == 0:
            continue
        head, _ = tokenise(model, text[: whole.offsets[count][0]])
        if head.pieces != whole.pieces[:count]:
            continue
        ids = model.tokenizer(text)["input_ids"]
        found = continued(model.tokenizer, head, ids[:count], ids[count:])
        assert (found.texts, found.pieces, found.offsets, found.sources, found.special) == (
            whole.texts, whole.pieces, whole.offsets, whole.sources, whole.special,
        )  # fmt: skip
        tried += 1
    assert tried > 3


def test_half_characters_and_special_tokens_are_kept_apart():
    model = tiny.gpt2()
    head, inputs = tokenise(model, "the cat")
    ids = inputs["input_ids"][0].tolist()
    bird = model.tokenizer("🦜")["input_ids"]
    found = continued(model.tokenizer, head, ids, [bird[0], *bird, bird[0], 2, bird[0], bird[1]])
    assert found.texts[len(head) :] == (
        "�", "🦜 1/4", "🦜 2/4", "🦜 3/4", "🦜 4/4", "�", "</s>", "� 1/2", "� 2/2",
    ) or found.sources[0].startswith("the cat�🦜�")  # fmt: skip
    assert found.special[len(head) :] == (False,) * 6 + (True, False, False)
    assert all(span is None or found.sources[0][slice(*span)] for span in found.offsets)


def test_words_go_on_where_letters_meet():
    model = tiny.gpt2()
    text = "the rabbit quickly,?! 10words read\nand"
    whole, _ = tokenise(model, text)
    ids = model.tokenizer(text)["input_ids"]
    head, _ = tokenise(model, "the")
    found = continued(model.tokenizer, head, ids[: len(head)], ids[len(head) :])
    assert found.word_groups() == whole.word_groups()
    assert list(found.merged())[:5] == ["the", "rabbit", "quickly", ",?!", "10"]


def test_the_record_says_what_was_written():
    found = course.generate(tiny.gpt2(), TEXT, 5, temperature=1.0, seed=3)
    assert found.tokens.sources[0] == TEXT + found.text and len(found.tokens) == found.prompt + 5
    assert "drawn at temperature 1 from seed 3" in repr(found) and "gradient × input of the logit" in repr(found)
    assert isinstance(found[0].attribution, Attribution) and [step.number for step in found] == list(found.numbers)
    plain = course.generate(tiny.gpt2(), TEXT, 2, method=None)
    with pytest.raises(course.LensError, match="without attributions"):
        _ = plain.saliency
    assert plain._repr_mimebundle_()[0] == {"text/plain": repr(plain)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 0}, "length must be a whole number from 1, not 0"),
        ({"length": True}, "length must be"),
        ({"method": "occlusion"}, "method must be one of 'gradient_x_input', 'integrated_gradients', None"),
        ({"of": "loss"}, "of must be one of"),
        ({"baseline": "mask"}, "baseline must be one of 'mean', 'zero'"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"temperature": float("nan")}, "temperature must be above 0"),
        ({"tolerance": 1.5}, "tolerance must be"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_options_that_do_not_exist_are_refused(settings, message):
    with pytest.raises(course.LensError, match=message):
        course.generate(tiny.gpt2(), TEXT, **settings)


def test_models_and_lengths_that_do_not_fit_are_refused():
    with pytest.raises(
        course.LensError, match=r"generation needs a causal language model\. Roles that are: shakespeare"
    ):
        course.generate(tiny.bert(), TEXT)
    with pytest.raises(course.InputError, match="write at most 52"):
        course.generate(tiny.gpt2(), TEXT, 60)


def test_nothing_of_the_model_is_changed_also_after_an_exception():
    model = causal_models.gpt2.__wrapped__()
    model.module.train()
    course.generate(model, TEXT, 1, method="integrated_gradients")
    handle = model.module.transformer.h[1].register_full_backward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        course.generate(model, TEXT, 1)
    handle.remove()
    assert model.module.training and all(p.grad is None and p.requires_grad for p in model.module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.module.modules())


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_caller_may_have_gradients_switched_off(mode):
    with mode():
        assert course.generate(tiny.gpt2(), TEXT, 1, method="integrated_gradients")[0].attribution.complete
