"""answer(): spans as typed, whatever the logits say, and never an empty one."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering, RobertaConfig, RobertaForQuestionAnswering

import course
from course.attributions.answering import Answer, AnswerError
from course.tokenising import tokenise
from tests import tiny

QUESTION = "who reads ?"
CONTEXT = "The  Cat sat,\n on the UNBELIEVABLE mat."


def reader(starts=None, ends=None) -> course.Model:
    """A tiny reader; with ``starts`` and ``ends`` (position to logit) it gives these to everything."""
    tokenizer = tiny.word_pieces()
    module = tiny._built(BertForQuestionAnswering, BertConfig(**tiny._sizes(tokenizer)))
    model = course.wrap(module, tokenizer, name="tiny reader")
    if starts is None:
        return model
    forward = module.forward

    def answering(**inputs):
        outputs = forward(**inputs)
        for name, given in (("start_logits", starts), ("end_logits", ends)):
            logits = torch.zeros_like(outputs[name])
            for position, logit in given.items():
                logits[:, position] = logit
            outputs[name] = logits
        return outputs

    module.forward = answering
    return model


def positions(text: str) -> tuple[int, int]:
    """First and last token of a part of the context."""
    tokens, _ = tokenise(reader(), QUESTION, CONTEXT)
    start, end = CONTEXT.index(text), CONTEXT.index(text) + len(text)
    own = [i for i, (o, s) in enumerate(zip(tokens.offsets, tokens.segments, strict=True))
           if s == 1 and o and o[0] >= start and o[1] <= end]  # fmt: skip
    return own[0], own[-1]


def test_the_text_is_what_was_typed():
    first, last = positions("Cat sat,\n on the UNBELIEVABLE")
    found = course.answer(reader({first: 9.0}, {last: 9.0}), QUESTION, CONTEXT)
    assert found.text == "Cat sat,\n on the UNBELIEVABLE" == CONTEXT[found.start : found.end]
    assert found.score == found.candidates[0].probability > 0.99 and found.found and found.null is None


def test_an_end_before_the_start_gives_the_best_span_and_not_an_empty_one():
    first, _ = positions("mat")
    _, last = positions("Cat")
    found = course.answer(reader({first: 9.0}, {last: 8.0}), QUESTION, CONTEXT)
    assert found.text == "mat" and found.text
    assert all(one.text and one.start < one.end for one in found.candidates)


def test_the_question_and_special_tokens_are_never_the_answer():
    tokens, _ = tokenise(reader(), QUESTION, CONTEXT)
    outside = {i: 50.0 for i in range(len(tokens)) if tokens.segments[i] == 0 or tokens.special[i]}
    first, last = positions("mat")
    found = course.answer(reader({**outside, first: 3.0}, {**outside, last: 3.0}), QUESTION, CONTEXT)
    assert found.text == "mat" and found.score < 1


def test_long_answers_are_left_out_and_probabilities_sum_to_one():
    first, _ = positions("The")
    last, _ = positions("mat")
    far = reader({first: 9.0}, {last: 9.0})
    assert course.answer(far, QUESTION, CONTEXT).text == "The  Cat sat,\n on the UNBELIEVABLE mat"
    short = course.answer(far, QUESTION, CONTEXT, longest=2, k=500)
    assert len(short.text.split()) <= 2
    assert sum(one.probability for one in short.candidates) == pytest.approx(1, abs=1e-5)
    assert [one.probability for one in short.candidates] == sorted(
        (o.probability for o in short.candidates), reverse=True
    )
    assert len(course.answer(far, QUESTION, CONTEXT, k=3).candidates) == 3


def test_no_answer_competes_only_where_it_is_asked_for():
    first, last = positions("mat")
    for cls, expected in ((9.0, ""), (1.0, "mat"), (400.0, "")):
        model = reader({0: cls, first: 3.0}, {0: cls, last: 3.0})
        assert course.answer(model, QUESTION, CONTEXT).text == "mat"
        found = course.answer(model, QUESTION, CONTEXT, no_answer=True, k=500)
        assert found.text == expected and found.found == bool(expected)
        assert found.null + sum(one.probability for one in found.candidates) == pytest.approx(1, abs=1e-5)
        assert (found.start is None) == (expected == "") and found.score >= 0.5
        assert ("→ no answer" in repr(found)) == (expected == "") and "no answer: " in repr(found)


def test_byte_level_spans_have_no_white_space_around_them():
    tokenizer = tiny.byte_pairs(marks=True)
    config = RobertaConfig(**tiny._sizes(tokenizer) | {"max_position_embeddings": 66}, pad_token_id=1)
    model = course.wrap(tiny._built(RobertaForQuestionAnswering, config), tokenizer, name="tiny RoBERTa")
    found = course.answer(model, "who ?", " the   🦜 sat ", k=500)
    assert all(one.text == one.text.strip() != "" for one in found.candidates)
    assert all(" the   🦜 sat "[one.start : one.end] == one.text for one in found.candidates)


def test_a_context_of_one_token_has_one_answer():
    found = course.answer(reader(), QUESTION, " cat ")
    assert found.text == "cat" and (found.start, found.end) == (1, 4) and found.score == pytest.approx(1)


def test_attributions_are_of_the_answer_and_computed_once():
    found = course.answer(reader(), QUESTION, CONTEXT, longest=1)
    assert found.attribution is found.attribution and found.attribution.target == found.text
    assert found.attribution.predicted and found.attribution.tokens.sources == (QUESTION, CONTEXT)
    assert found.attribution.score == pytest.approx(found.candidates[0].score, abs=1e-4)
    parts = found.start_attribution.score + found.end_attribution.score
    assert parts == pytest.approx(found.attribution.score, abs=1e-4)
    assert found.start_attribution.target == f"start of {found.text}"


def test_a_context_that_is_too_long_is_refused_or_said():
    with pytest.raises(course.InputError, match="reads at most 64"):
        course.answer(reader(), QUESTION, "cat " * 100)
    found = course.answer(reader(), QUESTION, "cat " * 100, truncate=True)
    assert found.dropped > 0 and "never read" in repr(found) and "never read" in found._repr_html_()
    assert found.attribution.tokens.dropped == found.dropped


@pytest.mark.parametrize("question", ["", "  "])
def test_empty_texts_are_refused(question):
    with pytest.raises(course.InputError, match="the text is empty"):
        course.answer(reader(), question, CONTEXT)
    with pytest.raises(course.InputError, match="the second text is empty"):
        course.answer(reader(), QUESTION, question)


def test_models_and_numbers_that_do_not_fit_are_refused():
    with pytest.raises(AnswerError, match="gives no starts and ends"):
        course.answer(tiny.classifier(), QUESTION, CONTEXT)
    for option in ({"k": 0}, {"longest": 0}, {"k": True}, {"longest": 2.5}):
        with pytest.raises(AnswerError, match="must be a whole number from 1"):
            course.answer(reader(), QUESTION, CONTEXT, **option)
    with pytest.raises(AnswerError, match="not numbers"):
        course.answer(reader({9: float("nan")}, {}), QUESTION, CONTEXT)


def test_the_page_escapes_what_was_typed():
    hostile = "<script>alert(1)</script> the cat & \u202e mat"
    html = course.answer(reader(), f"who {hostile}?", hostile)._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html and "\u202e" not in html and "<mark>" in html
    empty = reader({0: 99.0}, {0: 99.0})
    assert "<mark>" not in course.answer(empty, "who ?", "the\ncat", no_answer=True)._repr_html_()


def test_the_shipped_model_answers():
    found = course.answer(course.load("qa"), "Who built the tower?", "Gustave Eiffel built the tower in Paris in 1889.")
    assert isinstance(found, Answer) and found.text == "Gustave Eiffel" and found.score > 0.5
    assert found.attribution.complete and found.attribution.gap <= 1e-3 * abs(found.attribution.change)
