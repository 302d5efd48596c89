"""Removal: texts without some of their tokens, with the very numbers of the model."""

from __future__ import annotations

import pytest
import torch

import course
from course.faithfulness.removal import FaithfulnessError, Removal, ordered
from tests import tiny

TEXT = "the unbelievably cat sat on the mat"


@pytest.fixture(scope="module")
def model() -> course.Model:
    return tiny.classifier(id2label={0: "good", 1: "bad", 2: "plain"})


@pytest.fixture(scope="module")
def found(model):
    return course.attribute(model, TEXT, method="gradient_x_input")


def probability(model, ids, label, **more):
    with torch.no_grad():
        return float(model.module(input_ids=torch.tensor([ids]), **more).logits[0].double().softmax(-1)[label])


def test_deleted_tokens_are_gone_and_the_others_are_the_same_numbers(model, found):
    removal = Removal.of(model, found)
    ids = model.tokenizer(TEXT)["input_ids"]
    for gone in ((), (0,), (1, 3), tuple(range(len(removal)))):
        kept = [i for n, i in enumerate(ids) if n - 1 not in gone]
        assert removal.without([gone])[0] == pytest.approx(probability(model, kept, removal.label), abs=1e-6)
    assert len(removal) == len(ids) - 2


def test_masked_tokens_stay_in_their_places(model, found):
    removal = Removal.of(model, found, "mask")
    ids = model.tokenizer(TEXT)["input_ids"]
    masked = [model.tokenizer.mask_token_id if n in (2, 5) else i for n, i in enumerate(ids)]
    assert removal.without([(1, 4)])[0] == pytest.approx(probability(model, masked, removal.label), abs=1e-6)


def test_nothing_removed_and_everything_kept_lose_exactly_nothing(model, found):
    for by in ("delete", "mask"):
        removal = Removal.of(model, found, by)
        assert removal.comprehensiveness([]) == 0.0
        assert removal.sufficiency(range(len(removal))) == 0.0
        assert removal.comprehensiveness(range(len(removal))) == removal.sufficiency([])


def test_batched_equals_single_and_the_order_of_asking_does_not_matter(model, found):
    sets = [(), (0,), (0, 1), (3,), (2, 5), (1, 2, 3)]
    together, single = Removal.of(model, found), Removal.of(model, found, batch_size=1)
    assert together.without(sets) == pytest.approx([single.without([one])[0] for one in sets], abs=1e-6)
    assert together.without(reversed(sets)) == together.without(sets)[::-1]


def test_words_are_removed_whole(model, found):
    removal = Removal.of(model, found.words())
    groups = [group for group in found.tokens.word_groups() if not found.tokens.special[group[0]]]
    assert len(removal) == 7 and removal.units == tuple(groups)
    tokens = Removal.of(model, found)
    assert removal.without([(1,)])[0] == tokens.without([[i - 1 for i in groups[1]]])[0]


def test_pairs_keep_their_segments(model):
    found = course.attribute(model, TEXT, "a rabbit stops", method="attention")
    removal = Removal.of(model, found)
    encoded = model.tokenizer(TEXT, "a rabbit stops")
    keep = [i for i in range(len(encoded["input_ids"])) if i != 1]
    segments = torch.tensor([[encoded["token_type_ids"][i] for i in keep]])
    ids = [encoded["input_ids"][i] for i in keep]
    expected = probability(model, ids, removal.label, token_type_ids=segments)
    assert removal.without([(0,)])[0] == pytest.approx(expected, abs=1e-6)


def test_several_labels_at_once_have_a_sigmoid_each():
    model = tiny.classifier(problem_type="multi_label_classification")
    removal = Removal.of(model, course.attribute(model, TEXT, method="attention"))
    top = course.rank(model, TEXT).top
    assert removal.probability == pytest.approx(top.probability, abs=1e-6)


def test_nothing_of_the_model_is_changed(model, found):
    model.module.bert.encoder.train()
    try:
        flags = [part.training for part in model.module.modules()]
        first = Removal.of(model, found).without([(0,)])
        assert [part.training for part in model.module.modules()] == flags
    finally:
        model.module.eval()
    assert first == Removal.of(model, found).without([(0,)])


def test_it_prints_what_it_is(model, found):
    assert f"{len(found) - 2} tokens or words to take out of '{TEXT}', deleted" in repr(Removal.of(model, found))


def test_ties_keep_reading_order():
    assert ordered([0.0, 2.0, 0.0, 2.0, -1.0]) == [1, 3, 0, 2, 4]


def test_what_cannot_be_tested_is_refused(model, found):
    other = next(label for label in model.labels if label != found.target)
    wrong = course.attribute(model, TEXT, target=other, method="gradient_x_input")
    for arguments, says in (
        ((model, wrong), f"is for '{other}', but tiny classifier predicts"),
        ((tiny.bert(), found), "takes a classifier with at least two"),
        ((tiny.classifier(1), found), "takes a classifier with at least two"),
        ((course.load("planted"), found), "explanation is of tiny classifier, the model is Tiny BERT"),
        ((model, found.characters()), "reads no single characters"),
        ((model, found, "blank"), "removal must be one of 'delete', 'mask'"),
        ((model, found, "mask", 0), "batch_size must be"),
    ):
        with pytest.raises(FaithfulnessError, match=says):
            Removal.of(*arguments)
    with pytest.raises(FaithfulnessError, match="counted from 0"):
        Removal.of(model, found).without([(99,)])


def test_a_tokenizer_without_a_mask_says_so():
    model = tiny.classifier()
    found = course.attribute(model, TEXT, method="attention")
    model.tokenizer.mask_token = None
    with pytest.raises(FaithfulnessError, match="no mask token"):
        Removal.of(model, found, "mask")
