"""The recipe of `qa`: reading, holding out, windows, made-up questions, spans, and one training in miniature."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

import course
from course.attributions.spans import best_span
from course.training import qa, squad
from course.training.cloze import ask, clozes, passages, phrases, retold
from course.training.recipe import Run, TrainingError
from course.training.spans import exact, plain, token_f1
from course.training.squad import Question, held_out, normalised, of_articles, read_squad, wikipedia, window

TOPICS = ("amber", "bridges", "cheese", "deserts", "eagles", "forges", "glaciers", "harps", "islands", "juries")


def paragraph(topic: str, number: int) -> str:
    return (
        f"The study of {topic} began in 18{number}0 in Rome. Experts on {topic} met every year after that. "
        f"In the end {number + 3} schools taught {topic} to everyone who came to {topic.title()} Hall."
    )


def asked(context: str, text: str, answer: str, shift: int = 0) -> dict[str, Any]:
    place = {"text": answer, "answer_start": context.index(answer) + shift}
    return {"question": text, "id": "1", "answers": [place]}


def article(title: str, context: str, *questions: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "paragraphs": [{"context": context, "qas": list(questions)}]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten articles, each with a paragraph in XQuAD and another one in the paraphrased set, and some of the rest."""
    own = [(topic, paragraph(topic, 1), paragraph(topic, 2)) for topic in TOPICS]
    xquad = [article(topic, first, asked(first, f"Where did {topic} begin?", "Rome")) for topic, first, _ in own]
    # The first paragraph of the first article is in both sets, spelt a little differently.
    seconds = [own[0][1].replace("Rome.", "Rome ."), *(second for _, _, second in own[1:])]
    orig = [article(f"Title_{i}", text, asked(text, "where was it?", "Rome")) for i, text in enumerate(seconds)]
    para = [article(f"Title_{i}", text, asked(text, "in what place?", "Rome")) for i, text in enumerate(seconds)]
    covid = "We measured 40 bats. The bats came from Wuhan. They were well."
    files = {
        squad.XQUAD: xquad,
        squad.PARAPHRASED[0]: orig,
        squad.PARAPHRASED[1]: para,
        squad.COVID: [article("", covid, asked(covid, "Where from?", "Wuhan", shift=-2))],
        squad.POLICY[0]: [article("a.com", covid, asked(covid, "How many?", "40 bats"))],
        squad.POLICY[1]: [],
    }
    for name, articles in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"data": articles}), encoding="utf-8")
    (tmp_path / "mrpc").mkdir()
    rows = [
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
        "1\t1\t2\tThe judge Maria Lopez closed the old case on Monday.\tOn Monday Maria Lopez ended the case.",
        "0\t3\t4\tNothing of it was ever true, said the firm Acme.\tNothing at all was said by Acme.",
        "1\t849568\t849504\tThe shop Ronson sold the lamp in 1990.\tIn 1990 Ronson sold one lamp.",
        "1\t5\t6\tThe rain in Spain stays mainly in the plain.\tRain in Spain stays in the plain mainly.",
    ]
    (tmp_path / "mrpc/msr_paraphrase_train.txt").write_text("\n".join(rows), encoding="utf-8-sig")
    return tmp_path


# Reading


def test_an_answer_counted_wrongly_is_found_where_it_is(data: Path) -> None:
    [question] = read_squad(data, squad.COVID)
    assert question.golds == ("Wuhan",)


def test_of_several_places_the_nearest_to_the_stated_one_is_taken(tmp_path: Path) -> None:
    context = "Rome fell. Later Rome rose."
    asks = {"question": "Which?", "answers": [{"text": " Rome ", "answer_start": 15}]}
    (tmp_path / "a.json").write_text(json.dumps({"data": [article("t", context, asks)]}))
    assert read_squad(tmp_path, "a.json")[0].answers == ((17, 21),)


def test_a_question_without_an_answer_in_its_text_is_left_out(tmp_path: Path) -> None:
    asks = {"question": "Which?", "answers": [{"text": "Paris", "answer_start": 0}]}
    none = {"question": "Which?", "answers": []}
    (tmp_path / "a.json").write_text(json.dumps({"data": [article("t", "Rome fell.", asks, none)]}))
    assert read_squad(tmp_path, "a.json") == []


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="xquad"):
        wikipedia(tmp_path)


@pytest.mark.parametrize("span", [(0, 0), (3, 99), (-1, 2)])
def test_a_question_refuses_spans_outside_its_text(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no spans"):
        Question("Who?", "Nobody did.", (span,))


# Holding out


def test_held_out_articles_depend_on_their_names_only() -> None:
    assert held_out(TOPICS) == held_out([*reversed(TOPICS), *TOPICS])
    test, validation = held_out(TOPICS)
    assert test == ["amber", "forges"] and validation == ["bridges"]


def test_no_article_is_in_two_parts_of_the_split(data: Path) -> None:
    split = wikipedia(data)
    parts = [{question.title for question in part} for part in (split.train, split.validation, split.test)]
    assert parts[1] == {"bridges"} and parts[2] == {"amber", "forges"}
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


def test_held_out_paragraphs_are_in_no_other_part_even_when_spelt_differently(data: Path) -> None:
    split = wikipedia(data)
    kept = {normalised(question.context) for question in [*split.train, *split.validation]}
    assert not kept & {normalised(question.context) for question in split.test}
    assert all("amber" not in text and "forges" not in text for text in kept)


def test_the_test_has_questions_of_xquad_only_and_validation_no_paraphrases(data: Path) -> None:
    split = wikipedia(data)
    assert [question.text for question in split.test] == ["Where did amber begin?", "Where did forges begin?"]
    assert {question.text for question in split.validation} == {"Where did bridges begin?", "where was it?"}


def test_a_paragraph_without_a_title_is_given_to_the_article_it_is_like() -> None:
    articles = [Question("?", paragraph(topic, 1), ((0, 3),), topic) for topic in TOPICS[:3]]
    unknown = Question("?", "Hard cheese is made of milk; cheese keeps for months.", ((0, 4),))
    assert of_articles([unknown], articles, [])[0].title == "cheese"


def test_between_two_articles_the_held_out_one_is_taken() -> None:
    articles = [Question("?", paragraph(topic, 1), ((0, 3),), topic) for topic in ("amber", "cheese")]
    between = Question("?", "Amber and cheese.", ((0, 5),))
    assert [of_articles([between], articles, [shut])[0].title for shut in ("amber", "cheese")] == ["amber", "cheese"]


# Windows


def test_a_window_has_whole_sentences_around_the_answer() -> None:
    context = "One is first here. Two is after one. Three is the answer. Four is too late. Five ends it."
    start = context.index("Three")
    question = Question("Which?", context, ((start, start + 5),), "t")
    for seed in range(20):
        cut = window(question, 8, random.Random(seed))
        assert cut.golds == ("Three",) and cut.title == "t"
        assert cut.context.strip() in context and cut.context.strip().endswith(".")
        assert len(cut.context.split()) <= 8


def test_windows_move_around_the_answer() -> None:
    context = " ".join(f"Sentence number {i} is here." for i in range(9))
    start = context.index("4")
    question = Question("Which?", context, ((start, start + 1),))
    places = {window(question, 15, random.Random(seed)).answers for seed in range(20)}
    assert len(places) > 1


def test_a_window_drops_answers_outside_and_keeps_those_inside() -> None:
    context = "Rome was old, and Rome was great. " + "Nothing else happened for long. " * 5 + "Then Rome fell."
    spans = tuple((i, i + 4) for i in range(len(context)) if context.startswith("Rome", i))
    seen = {window(Question("?", context, spans), 7, random.Random(seed)).golds for seed in range(20)}
    assert seen == {("Rome", "Rome"), ("Rome",)}


def test_an_answer_over_two_sentences_is_not_cut() -> None:
    context = "A b c. D e f. G h i."
    question = Question("?", context, ((4, 12),))
    assert window(question, 1, random.Random(0)).golds == ("c. D e f",)


# Made-up questions


def test_phrases_know_their_kind_and_stay_in_their_sentence() -> None:
    text = "In 1886 Nikola Tesla formed a new company. It sold 40 arc lamps to the city of Rome."
    found = {text[slice(*phrase.span)]: phrase.kind for phrase in phrases(text)}
    assert found["1886"] == "year" and found["Nikola Tesla"] == "name" and found["40"] == "number"
    assert found["new company"] == "plain"
    for phrase in phrases(text):
        assert phrase.sentence[0] <= phrase.span[0] < phrase.span[1] <= phrase.sentence[1]


def test_a_question_is_made_of_its_sentence_without_the_answer() -> None:
    text = "The company sold 40 lamps to Tesla. Nobody else wanted any of them."
    [number] = [phrase for phrase in phrases(text) if phrase.kind == "number"]
    for seed in range(20):
        words = ask(text, number, random.Random(seed)).rstrip("?").split()
        assert "40" not in words and {"how", "what"} & set(words)
        assert set(words) <= set(f"{text[:27]} to Tesla how many much what number".replace("40", "").split())


def test_clozes_point_at_their_answers_and_are_repeatable() -> None:
    text = paragraph("cheese", 4)
    made = clozes(text, 3, random.Random(1))
    assert made == clozes(text, 3, random.Random(1)) and 0 < len(made) <= 3
    assert all(question.golds[0] in text for question in made)


def test_passages_are_whole_sentences_of_a_long_text() -> None:
    text = " ".join(f"This is sentence {i} of a rather long text." for i in range(21))
    cut = passages(text, 30)
    assert " ".join(cut) == text and all(len(part.split()) <= 30 for part in cut)


def test_retold_questions_are_answered_by_the_other_sentence_and_skip_lesson_pairs(data: Path) -> None:
    made = retold(data, random.Random(0))
    assert made and all(question.golds[0] in question.context for question in made)
    assert not any("Ronson" in question.context or "Acme" in question.text for question in made)


# Spans and scores


def test_the_best_span_is_the_best_sum_that_is_valid() -> None:
    # Best start is token 3, best end token 1: backwards. Of the valid pairs 1-1 has 1+4, 3-3 has 5+1, 1-3 has 1+1.
    starts, ends = torch.tensor([9.0, 1.0, 0.0, 5.0]), torch.tensor([9.0, 4.0, 0.0, 1.0])
    valid = torch.tensor([False, True, True, True])
    best = best_span(starts, ends, valid)
    assert (best.first, best.last, best.score) == (3, 3, 6.0)
    sums = torch.tensor([5.0, 1.0, 2.0, 0.0, 1.0, 6.0])  # 1-1, 1-2, 1-3, 2-2, 2-3, 3-3
    assert best.probability == pytest.approx(float(sums.softmax(0)[-1]))


def test_no_span_is_longer_than_the_limit() -> None:
    starts, ends = torch.zeros(6), torch.zeros(6)
    starts[0], ends[5] = 3.0, 3.0
    everywhere = torch.ones(6, dtype=torch.bool)
    assert best_span(starts, ends, everywhere).last == 5
    best = best_span(starts, ends, everywhere, longest=2)
    assert (best.first, best.last) == (0, 0)


def test_a_span_needs_a_valid_token() -> None:
    with pytest.raises(ValueError, match="context"):
        best_span(torch.zeros(3), torch.zeros(3), torch.zeros(3, dtype=torch.bool))


def test_answers_are_compared_as_squad_does() -> None:
    assert plain("The Beatles, an English band.") == "beatles english band"
    assert exact("the 1970s", ["1970s.", "seventies"]) and not exact("1970", ["1970s"])
    # Two of two words found, two of four wanted: precision 1, recall 1/2.
    assert token_f1("Maria Lopez", ["judge Maria Lopez, Rome", "Rome"]) == pytest.approx(2 / 3)
    assert token_f1("Paris", ["Rome"]) == 0 and token_f1("the", ["a"]) == 1


# The whole


@pytest.fixture(scope="module")
def minilm() -> Any:
    return course.load("minilm", device="cpu")


class Pointing(torch.nn.Module):
    """Points at the token with this id, wherever it is."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token, self.weight = token, torch.nn.Parameter(torch.ones(1))

    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        hits = (input_ids == self.token).float() * 9
        return type("Output", (), {"start_logits": hits, "end_logits": hits})


def test_an_answer_is_read_from_the_text_not_from_the_question(minilm: Any) -> None:
    module = Pointing(minilm.tokenizer.convert_tokens_to_ids("rome"))
    questions = [Question("Is Rome old?", "People say  Rome is.", ((0, 6),)), Question("Rome?", "ROME", ((0, 4),))]
    assert qa.find_answers(module, minilm.tokenizer, questions, 512) == ["Rome", "ROME"]


def test_an_answer_far_down_a_long_text_is_found(minilm: Any) -> None:
    module = Pointing(minilm.tokenizer.convert_tokens_to_ids("rome"))
    question = Question("Where?", "Nothing is here. " * 300 + "Rome it is.", ((0, 7),))
    assert qa.find_answers(module, minilm.tokenizer, [question], 256) == ["Rome"]


def test_targets_are_the_tokens_of_the_answer(minilm: Any) -> None:
    question = Question("Who sold it?", "It was Maria Lopez, not I.", ((7, 18),))
    examples = qa.Examples([[question], [question]], minilm.tokenizer, random.Random(0))
    (first, last), encoding = examples.targets[0], examples.encodings[0]
    assert encoding.tokens[first : last + 1] == ["maria", "lopez"]
    assert examples.plan(100, 0)(0) == [[0]] and examples.plan(100, 0)(1) == [[1]]


def test_an_answer_that_is_cut_off_is_no_example(minilm: Any) -> None:
    context = "word " * 400 + "Rome"
    question = Question("Where?", context, ((len(context) - 4, len(context)),))
    assert qa.Examples([[question]], minilm.tokenizer, random.Random(0)).targets == []


def test_the_loss_is_that_of_a_choice_among_the_tokens_of_the_text(minilm: Any) -> None:
    question = Question("Who sold it?", "It was Maria.", ((7, 12),))
    examples = qa.Examples([[question]], minilm.tokenizer, random.Random(0))
    # With equal scores everywhere, each of the four tokens of the text has a probability of one quarter.
    value = examples.loss(Pointing(-1), torch.device("cpu"))([0])
    assert float(value) == pytest.approx(float(torch.log(torch.tensor(4.0))))


def test_a_miniature_run_trains_and_is_repeatable(data: Path, tmp_path: Path) -> None:
    trained = [
        qa.train(Run(data, tmp_path / name, 0, torch.device("cpu"), examples=4, epochs=1)) for name in ("one", "two")
    ]
    states = [
        {key: value for key, value in run.module.state_dict().items() if "lora_" in key or "qa_outputs" in key}
        for run in trained
    ]
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert any(value.abs().max() > 0 for key, value in states[0].items() if "lora_B" in key)
    assert 0 <= trained[0].validation <= 1 and trained[0].outcome.steps == 2


def test_the_score_is_measured_on_the_held_out_articles(data: Path, minilm: Any) -> None:
    from dataclasses import replace

    model = replace(minilm, module=Pointing(minilm.tokenizer.convert_tokens_to_ids("rome")))
    object.__setattr__(model.module, "config", minilm.module.config)
    f1, right = qa.score(model, data)
    assert f1.name == "F1" and f1.value == 1.0 and f1.interval == (1.0, 1.0)
    assert right.value == 1.0 and "2 held-out articles (2 questions)" in right.data
