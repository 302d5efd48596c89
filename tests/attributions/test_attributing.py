"""attribute(): four methods, their targets, their identities, and models that stay as they are."""

from __future__ import annotations

import copy

import pytest
import torch
from captum.attr import LayerGradientXActivation, LayerIntegratedGradients
from transformers import BertForQuestionAnswering, ViTForImageClassification

import course
from course.attributions.embedded import AttributionError, embeddings_of, rows_at_once
from course.attributions.spans import Best
from course.planted import generate
from course.ranking import rank
from course.tokenising import tokenise
from tests import tiny

METHODS = ("integrated_gradients", "gradient_x_input", "occlusion", "attention")
TEXT = "the unbelievable cat sat on the mat"
MERRY = "the baker was never merry"


def reader() -> course.Model:
    from transformers import BertConfig

    tokenizer = tiny.word_pieces()
    module = tiny._built(BertForQuestionAnswering, BertConfig(**tiny._sizes(tokenizer)))
    return course.wrap(module, tokenizer, name="tiny reader")


@pytest.fixture(scope="module")
def classifier() -> course.Model:
    return tiny.classifier(id2label={0: "good", 1: "bad", 2: "plain"})


@pytest.fixture(scope="module")
def planted() -> course.Model:
    return course.load("planted")


def by_ids(model, text, score):
    """captum's own calls on token numbers, as its tutorial makes them; [MASK] for every ordinary token."""
    tokens, inputs = tokenise(model, text)
    ids = inputs["input_ids"]
    blank = torch.where(torch.tensor(tokens.special), ids, torch.full_like(ids, model.tokenizer.mask_token_id))

    def forward(numbers):
        return score(model.module(input_ids=numbers, attention_mask=torch.ones_like(numbers)))

    return forward, ids, blank


def test_the_same_as_captums_own_calls(planted):
    forward, ids, blank = by_ids(planted, MERRY, lambda outputs: outputs.logits[:, 1])
    layer = planted.module.bert.embeddings
    expected = LayerIntegratedGradients(forward, layer).attribute(ids, blank, n_steps=256, method="gausslegendre")
    found = course.attribute(planted, MERRY, target="bad", tolerance=1e-5)
    assert found.values.tolist() == pytest.approx(expected.sum(-1)[0].tolist(), abs=1e-4)
    expected = LayerGradientXActivation(forward, layer).attribute(ids).sum(-1)[0]
    found = course.attribute(planted, MERRY, target="bad", method="gradient_x_input")
    assert found.values.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_occlusion_is_the_loss_of_each_token_replaced(planted):
    forward, ids, blank = by_ids(planted, MERRY, lambda outputs: outputs.logits.softmax(-1)[:, 1])
    found = course.attribute(planted, MERRY, target="bad", method="occlusion", of="probability")
    with torch.no_grad():
        for i in range(ids.shape[1]):
            replaced = ids.clone()
            replaced[0, i] = blank[0, i]
            assert float(found.values[i]) == pytest.approx(float(forward(ids) - forward(replaced)), abs=1e-5)
        assert found.score == pytest.approx(float(forward(ids)), abs=1e-6)
        assert found.baseline_score == pytest.approx(float(forward(blank)), abs=1e-6)


def test_attention_is_the_last_layer_from_the_token_that_the_head_reads(planted):
    found = course.attribute(planted, MERRY, method="attention")
    weights = course.attend(planted, MERRY).weights[-1].mean(0)[0]
    assert found.values.tolist() == pytest.approx(weights.tolist(), abs=1e-6)
    assert float(found.values.sum()) == pytest.approx(1, abs=1e-5) and not found.signed
    assert f"layer {planted.layers - 1}, mean over {planted.heads} heads, from [CLS]" in found.baseline


@pytest.mark.parametrize("of", ["logit", "probability"])
@pytest.mark.parametrize("role", ["planted", "sentiment", "emoji-es"])
def test_gradients_are_complete(of, role):
    model, text = course.load(role), "the happy dog was not angry"
    found = course.attribute(model, text, of=of)
    assert found.complete and found.gap <= 1e-3 * abs(found.change) and found.predicted
    assert found.target == rank(model, text).top.label
    special = list(found.tokens.special_positions)
    assert found.values[special].tolist() == [0, 0]
    if of == "probability":
        assert found.score == pytest.approx(rank(model, text).top.probability, abs=1e-5)


def test_too_few_steps_are_said(planted):
    found = course.attribute(planted, MERRY, of="probability", most_steps=4)
    assert found.steps == 4 and not found.complete and "NOT within" in repr(found)


@pytest.mark.parametrize("make", [tiny.classifier, reader])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("baseline", ["mask", "pad", "zero"])
def test_every_method_on_a_text_and_a_pair(make, method, baseline):
    model = make()
    for pair in (None, "a rabbit stops"):
        if make is reader and pair is None:
            continue
        found = course.attribute(model, TEXT, pair, method=method, baseline=baseline)
        assert found.tokens.is_pair == (pair is not None) and len(found.values) == len(found.tokens)
        if method == "integrated_gradients":
            assert found.complete and found.gap <= 1e-3 * abs(found.change) + 1e-6
            assert ("zeros" in found.baseline) == (baseline == "zero")


@pytest.mark.parametrize("method", METHODS)
def test_a_portion_of_one_row_gives_the_same_numbers_again_and_again(classifier, method):
    found, again, single = (
        course.attribute(classifier, TEXT, method=method, batch_size=size) for size in (None, None, 1)
    )
    assert found.values.tolist() == again.values.tolist()
    assert found.values.tolist() == pytest.approx(single.values.tolist(), abs=1e-5)


def test_targets_by_name_and_number_sum_over_labels_as_probabilities_do(classifier):
    by_name = course.attribute(classifier, TEXT, target="bad")
    assert by_name.values.tolist() == course.attribute(classifier, TEXT, target=1).values.tolist()
    assert by_name.target == "bad" and not by_name.predicted
    shares = [course.attribute(classifier, TEXT, target=i, of="probability", tolerance=1e-5) for i in range(3)]
    assert sum(one.score for one in shares) == pytest.approx(1, abs=1e-6)
    assert torch.stack([one.values for one in shares]).sum(0).abs().max() < 1e-5


def test_several_labels_at_once_have_a_sigmoid_each():
    model = tiny.classifier(problem_type="multi_label_classification")
    found = course.attribute(model, TEXT, target=2, of="probability")
    assert found.score == pytest.approx(rank(model, TEXT)["LABEL_2"], abs=1e-6) and found.complete
    other = course.attribute(tiny.classifier(), TEXT, target=2, of="probability")
    assert other.score != pytest.approx(found.score, abs=1e-3)


def test_a_model_with_one_output_is_explained_by_its_score():
    model = tiny.classifier(1)
    assert course.attribute(model, TEXT).complete
    with pytest.raises(AttributionError, match="one output, a score without a probability"):
        course.attribute(model, TEXT, of="probability")


def test_start_and_end_sum_to_the_span():
    model = reader()
    start, end, span = (
        course.attribute(model, "the cat", "a rabbit quickly hopped past", target=which, tolerance=1e-5)
        for which in ("start", "end", None)
    )
    assert span.score == pytest.approx(start.score + end.score, abs=1e-4)
    assert torch.allclose(start.values + end.values, span.values, atol=1e-3)
    assert start.target == f"start of {span.target}" and span.target in "a rabbit quickly hopped past"
    given = course.attribute(model, "the cat", "a rabbit quickly hopped past", span=Best(6, 6, 0.0, 0.0))
    assert not given.predicted and given.target != span.target


def test_probabilities_of_starts_and_of_spans_are_what_they_say():
    model = reader()
    tokens, inputs = tokenise(model, "the cat", "a rabbit hopped")
    context = [
        i for i, (s, special) in enumerate(zip(tokens.segments, tokens.special, strict=True)) if s and not special
    ]
    with torch.no_grad():
        outputs = model.module(**inputs)
    starts = outputs.start_logits[0, context].softmax(-1)
    ends = {
        which: course.attribute(model, "the cat", "a rabbit hopped", target=which, of="probability")
        for which in ("start", "span")
    }
    assert any(float(p) == pytest.approx(ends["start"].score, abs=1e-5) for p in starts)
    assert ends["span"].score == pytest.approx(course.answer(model, "the cat", "a rabbit hopped").score, abs=1e-5)


def test_a_model_with_positions_counted_from_padding_reads_vectors_as_words():
    from transformers import RobertaConfig, RobertaForSequenceClassification

    tokenizer = tiny.byte_pairs(marks=True)
    config = RobertaConfig(**tiny._sizes(tokenizer) | {"max_position_embeddings": 66}, pad_token_id=1)
    model = course.wrap(tiny._built(RobertaForSequenceClassification, config), tokenizer, name="tiny RoBERTa")
    for baseline in ("mask", "pad") if tokenizer.mask_token else ("pad",):
        found = course.attribute(model, "the cat 🦜", baseline=baseline)
        assert found.complete and found.values[list(found.tokens.special_positions)].abs().max() < 1e-6
        assert found.characters().words().values.sum() == pytest.approx(float(found.values.sum()))


def test_a_model_that_names_no_words_beside_vectors_is_attributed():
    """DistilBERT gives its embeddings None for token numbers, where captum looks for a device."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    tokenizer = tiny.distilbert().tokenizer
    config = DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=48)
    module = tiny._built(DistilBertForSequenceClassification, config)
    model = course.wrap(module, tokenizer, name="tiny DistilBERT")
    found = {
        method: course.attribute(model, TEXT, target=model.labels[1], baseline="pad", method=method)
        for method in METHODS
    }
    assert found["integrated_gradients"].values.sum() == pytest.approx(found["integrated_gradients"].change, abs=1e-3)
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    expected = LayerGradientXActivation(lambda x: module(x).logits[:, 1], module.distilbert.embeddings)
    assert found["gradient_x_input"].values.tolist() == pytest.approx(
        expected.attribute(ids).sum(-1)[0].tolist(), abs=1e-4
    )
    without = ids.clone()
    without[0, 3] = tokenizer.pad_token_id
    with torch.no_grad():
        fall = (module(ids).logits - module(without).logits)[0, 1]
    assert float(found["occlusion"].values[3]) == pytest.approx(float(fall), abs=1e-5)


def test_no_mask_token_is_said():
    model = tiny.classifier()
    model.tokenizer.mask_token = None
    with pytest.raises(AttributionError, match=r"no mask token.*'pad', 'zero'"):
        course.attribute(model, TEXT)
    assert course.attribute(model, TEXT, baseline="pad").complete


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_the_model_is_changed(method):
    model = tiny.classifier()
    course.attend(model, TEXT)  # transformers puts hooks of its own where it returns attention, once and for all
    next(model.module.parameters()).requires_grad_(False)
    model.module.bert.encoder.train()
    before = copy.deepcopy(model.module.state_dict())
    state = torch.random.get_rng_state()
    flags = [(part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.module.modules()]
    wanted = [parameter.requires_grad for parameter in model.module.parameters()]
    course.attribute(model, TEXT, method=method)
    after = [(part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.module.modules()]
    assert after == flags and torch.equal(torch.random.get_rng_state(), state)
    assert [parameter.requires_grad for parameter in model.module.parameters()] == wanted
    assert all(parameter.grad is None for parameter in model.module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.module.state_dict().items())


def test_gradients_of_the_caller_are_left_alone(classifier):
    model = tiny.classifier()
    parameter = model.module.classifier.weight
    parameter.grad = torch.ones_like(parameter)
    course.attribute(model, TEXT)
    assert torch.equal(parameter.grad, torch.ones_like(parameter))
    with torch.no_grad():
        assert course.attribute(model, TEXT).complete


def test_one_token_is_enough(classifier):
    found = course.attribute(classifier, "cat")
    assert len(found) == 3 and found.complete
    assert float(found.values[1]) == pytest.approx(found.change, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "empty"), ("cat " * 100, "reads at most 64"), (3, "string")],
)
def test_text_that_cannot_be_read_is_refused(classifier, text, says):
    with pytest.raises(course.InputError, match=says):
        course.attribute(classifier, text)


def test_what_was_cut_off_is_said(classifier):
    found = course.attribute(classifier, "cat " * 100, truncate=True)
    assert found.tokens.dropped == 38 and "truncated: 38 tokens" in repr(found) and len(found) == 64


@pytest.mark.parametrize("target", ["ugly", "GOOD", 3, -1, True, 1.0])
def test_an_unknown_label_lists_the_known_ones(classifier, target):
    with pytest.raises(AttributionError, match="has 'good', 'bad', 'plain', or their numbers, 0 to 2"):
        course.attribute(classifier, TEXT, target=target)


def test_a_label_in_the_place_of_a_second_text_is_noticed(classifier):
    with pytest.raises(AttributionError, match="write target='bad'"):
        course.attribute(classifier, TEXT, "bad")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"method": "lime"}, "method must be one of 'integrated_gradients'"),
        ({"of": "loss"}, "of must be one of 'logit', 'probability'"),
        ({"baseline": "noise"}, "baseline must be one of 'mask'"),
        ({"tolerance": 0}, "tolerance must be a share"),
        ({"tolerance": float("nan")}, "tolerance must be a share"),
        ({"most_steps": 0}, "most_steps must be a whole number"),
        ({"batch_size": 1.5}, "batch_size must be a whole number"),
    ],
)
def test_options_that_do_not_exist_are_refused(classifier, option, says):
    with pytest.raises(AttributionError, match=says):
        course.attribute(classifier, TEXT, **option)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (tiny.bert, "gives neither labels nor answers"),
        (tiny.gpt2, "course.lens looks inside a model that generates"),
        (tiny.bart, "is an encoder–decoder"),
    ],
)
def test_models_that_it_does_not_fit_are_refused(model, says):
    with pytest.raises(AttributionError, match=says):
        course.attribute(model(), TEXT)


def test_an_image_needs_a_processor_and_a_question_a_context():
    config = copy.deepcopy(tiny.vit().module.config)
    config.num_labels = 2
    model = course.wrap(tiny._built(ViTForImageClassification, config), None, name="tiny eye")
    with pytest.raises(course.InputError, match="reads images but has no image processor"):
        course.attribute(model, TEXT)
    with pytest.raises(AttributionError, match="needs a question and a context"):
        course.attribute(reader(), TEXT)
    with pytest.raises(AttributionError, match="target must be one of 'span', 'start', 'end'"):
        course.attribute(reader(), TEXT, "a rabbit", target="good")


def test_a_model_that_reads_vectors_otherwise_than_words_is_noticed():
    model = tiny.classifier()
    plain = model.module.forward
    model.module.forward = lambda **inputs: plain(**inputs | (
        {"inputs_embeds": -inputs["inputs_embeds"]} if "inputs_embeds" in inputs else {}
    ))  # fmt: skip
    with pytest.raises(AttributionError, match="use method='attention'"):
        course.attribute(model, TEXT)


def test_embeddings_are_found_or_their_lack_is_said():
    assert embeddings_of(tiny.vit().module, "eye") is tiny.vit().module.embeddings
    with pytest.raises(AttributionError, match="no module that makes all its embeddings"):
        embeddings_of(tiny.gpt2().module, "GPT-2")


def test_longer_inputs_are_run_in_smaller_portions(classifier):
    counts = [rows_at_once(classifier.module, size, budget=5_000_000) for size in (8, 64, 512, 5120)]
    assert counts[0] > counts[1] > counts[2] == counts[3] == 1


def test_gradients_point_at_the_words_of_the_planted_rule():
    from sklearn.metrics import average_precision_score

    model = course.load("planted")
    cases = [truth for truth in generate(30, seed=9) if truth.matters]
    found = {method: [] for method in ("integrated_gradients", "attention")}
    chance = []
    for truth in cases:
        wanted = [i in truth.matters for i in range(len(truth.words))]
        chance.append(sum(wanted) / len(wanted))
        for method, scores in found.items():
            shares = course.attribute(model, truth.sentence, target=truth.label, method=method)
            by_start = dict(zip((o and o[0] for o in shares.tokens.offsets), shares.values.tolist(), strict=True))
            scores.append(average_precision_score(wanted, [by_start[start] for start, _ in truth.spans]))
    means = {method: sum(scores) / len(scores) for method, scores in found.items()}
    assert len(cases) > 15 and sum(chance) / len(chance) < 0.2
    assert means["integrated_gradients"] > 0.95 and means["integrated_gradients"] >= means["attention"]
