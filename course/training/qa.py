"""`qa`: where in a text is the answer to a question? MiniLM with an adapter and a head that scores every token."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from course.attributions.spans import best_span
from course.models.entries import Score
from course.training.adapters import adapted
from course.training.batches import by_length, inputs, shuffled
from course.training.cloze import clozes, definitions, passages, retold
from course.training.loop import Schedule, fit, seed_everything
from course.training.recipe import Recipe, Run, Trained
from course.training.scores import resampled, share
from course.training.spans import exact, token_f1
from course.training.squad import COVID, POLICY, Question, read_squad, texts, wikipedia, window

if TYPE_CHECKING:
    from course.models import Model

RANK = 32
"""Of the adapter's matrices: 2.7 MB in half precision."""
LONGEST = 320
"""Tokens of a training example; what is longer is cut. Windows are made so that few reach it."""
LONGEST_INPUT = 512
"""Tokens that MiniLM can read at once."""
STRIDE = 128
"""Tokens that two windows share where a text does not fit into the model at once."""


def train(run: Run) -> Trained:
    """An adapter and a span head on MiniLM, in two stages (``STAGES``); each keeps its best validated moment."""
    seed_everything(run.seed)
    # On a processor, drawing the dropout of attention takes a sixth of the time.
    settings = {"attention_probs_dropout_prob": 0.0}
    module, tokenizer = adapted("question-answering", rank=RANK, heads=["qa_outputs"], **settings)
    module.to(run.device)
    split = wikipedia(run.data)

    def validate() -> float:
        with torch.autocast(run.device.type, torch.bfloat16, enabled=run.precision == "bfloat16"):
            found = find_answers(module, tokenizer, split.validation, LONGEST_INPUT)
        return float(np.mean(agreement(found, split.validation)))

    seconds, steps = 0.0, 0
    for stage in STAGES:
        chance = random.Random(run.seed)
        epochs = [stage.questions(run, split.train, chance) for _ in range(run.epochs or stage.schedule.epochs)]
        examples = Examples(epochs, tokenizer, chance, run.examples)
        plan, loss = examples.plan(stage.tokens, run.seed), examples.loss(module, run.device)
        outcome = fit(module, plan, loss, validate, stage.schedule, run, name=stage.name)
        seconds, steps = seconds + outcome.seconds, steps + outcome.steps
    return Trained(module, None, replace(outcome, seconds=seconds, steps=steps))


@dataclass(frozen=True)
class Stage:
    """A part of the training: the questions of an epoch, drawn anew for each, and the tokens of a batch."""

    name: str
    questions: Callable[[Run, Sequence[Question], random.Random], list[Question]]
    tokens: int
    schedule: Schedule


def much(run: Run, wiki: Sequence[Question], chance: random.Random) -> list[Question]:
    """Made-up questions on texts that nobody asked about, and real ones of all fields, in small windows."""
    covid, policy = read_squad(run.data, COVID), read_squad(run.data, *POLICY)
    made = [
        question for text in texts(wiki) for passage in passages(text, 75) for question in clozes(passage, 4, chance)
    ]
    asked = [*wiki, *covid, *chance.sample(policy, min(1000, len(policy)))]
    return [*made, *retold(run.data, chance), *(window(question, 75, chance) for question in asked)]


def alike(run: Run, wiki: Sequence[Question], chance: random.Random) -> list[Question]:
    """The questions that are like those of the test, of two that ask the same only one, and made-up definitions."""
    forms: dict[tuple[str, tuple[tuple[int, int], ...]], list[Question]] = {}
    for question in wiki:
        forms.setdefault((question.context, question.answers), []).append(question)
    asked = [chance.choice(same) for same in forms.values()]
    defined = [question for text in texts([*wiki, *read_squad(run.data, COVID)]) for question in definitions(text)]
    defined = chance.sample(defined, min(150, len(defined)))
    return [window(question, 80, chance) for question in [*asked, *defined]]


STAGES = (
    Stage("first", much, 2048, Schedule(epochs=1, rate=1e-3, warmup=0.05, validations=4)),
    Stage("second", alike, 2048, Schedule(epochs=2, rate=7e-4, warmup=0.05, validations=1)),
)


class Examples:
    """The questions of each epoch made ready: token ids, and the tokens with which an answer starts and ends.

    Of several answers one is drawn. A question whose answer is cut off is left out, and so are all of an epoch
    after ``most``.
    """

    def __init__(
        self, epochs: Sequence[Sequence[Question]], tokenizer: Any, chance: random.Random, most: int | None = None
    ) -> None:
        self.filler = int(tokenizer.pad_token_id)
        self.encodings: list[Any] = []
        self.targets: list[tuple[int, int]] = []
        self.firsts = [0]
        for questions in epochs:
            encoded = _encoded(tokenizer, questions[:most], LONGEST).encodings
            for question, encoding in zip(questions[:most], encoded, strict=True):
                start, end = chance.choice(question.answers)
                first, last = encoding.char_to_token(start, 1), encoding.char_to_token(end - 1, 1)
                if first is not None and last is not None:
                    self.encodings.append(encoding)
                    self.targets.append((first, last))
            self.firsts.append(len(self.targets))

    def plan(self, tokens: int, seed: int) -> Callable[[int], list[list[int]]]:
        """The batches of an epoch, of at most so many tokens."""

        def batches(epoch: int) -> list[list[int]]:
            first, end = self.firsts[epoch : epoch + 2]
            lengths = [len(encoding.ids) for encoding in self.encodings[first:end]]
            return [[first + i for i in batch] for batch in by_length(lengths, tokens, shuffled(seed, epoch))]

        return batches

    def loss(self, module: Any, device: torch.device) -> Callable[[list[int]], torch.Tensor]:
        """The mean cross-entropy of start and end, each a choice among the tokens of the text."""

        def mean(batch: list[int]) -> torch.Tensor:
            chosen = [self.encodings[i] for i in batch]
            output = module(**_on(device, inputs(self.encodings, batch, self.filler)))
            outside = ~of_text(chosen).to(device)
            targets = torch.tensor([self.targets[i] for i in batch], device=device)
            ends = zip((output.start_logits, output.end_logits), targets.T, strict=True)
            # A finite stand-in for minus infinity, which would make gradients undefined.
            losses = [
                torch.nn.functional.cross_entropy(logits.float().masked_fill(outside, -1e4), target)
                for logits, target in ends
            ]
            return torch.stack(losses).mean()

        return mean


def find_answers(module: Any, tokenizer: Any, questions: Sequence[Question], longest: int) -> list[str]:
    """The model's answer to each question: the best span of its text (``best_span``), cut out of it.

    A text that does not fit into ``longest`` tokens is read in windows that overlap; the best span of all is taken.
    """
    encoded = _encoded(tokenizer, questions, longest, stride=STRIDE, return_overflowing_tokens=True)
    encodings, of = encoded.encodings, encoded["overflow_to_sample_mapping"]
    found: list[tuple[float, str]] = [(-np.inf, "")] * len(questions)
    device = next(module.parameters()).device
    for batch in by_length([len(encoding.ids) for encoding in encodings], 8192, shuffled(0, 0)):
        chosen = [encodings[i] for i in batch]
        with torch.no_grad():
            output = module(**_on(device, inputs(encodings, batch, int(tokenizer.pad_token_id))))
        rows = zip(batch, chosen, output.start_logits.cpu(), output.end_logits.cpu(), of_text(chosen), strict=True)
        for i, encoding, starts, ends, valid in rows:
            best = best_span(starts, ends, valid)
            answer = questions[of[i]].context[encoding.offsets[best.first][0] : encoding.offsets[best.last][1]]
            if best.score > found[of[i]][0]:
                found[of[i]] = best.score, answer
    return [answer for _, answer in found]


def of_text(encodings: Sequence[Any]) -> torch.Tensor:
    """Which tokens of encoded pairs are of the text, neither of the question nor special (examples x longest)."""
    longest = max(len(encoding.ids) for encoding in encodings)
    rows = [[part == 1 for part in encoding.sequence_ids] for encoding in encodings]
    return torch.tensor([[*row, *[False] * (longest - len(row))] for row in rows])


def agreement(answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
    """The F1 of each answer."""
    return [token_f1(answer, question.golds) for answer, question in zip(answers, questions, strict=True)]


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """F1 and share of exact answers on the held-out articles of XQuAD, whole paragraphs."""
    questions = wikipedia(data).test
    answers = find_answers(model.module, model.tokenizer, questions, model.limits.longest or LONGEST_INPUT)
    f1 = np.array(agreement(answers, questions))
    right = [exact(answer, question.golds) for answer, question in zip(answers, questions, strict=True)]
    articles = len({question.title for question in questions})
    name = f"XQuAD English, {articles} held-out articles ({len(questions)} questions)"
    return (
        resampled("F1", lambda chosen: float(f1[chosen].mean()), len(questions), name),
        share("exact match", right, name),
    )


def _encoded(tokenizer: Any, questions: Sequence[Question], longest: int, **settings: Any) -> Any:
    asked, read = [question.text for question in questions], [question.context for question in questions]
    return tokenizer(asked, read, truncation="only_second", max_length=longest, **settings)


def _on(device: torch.device, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(device) for name, tensor in tensors.items()}


RECIPE = Recipe(
    role="qa",
    title="MiniLM for extractive question answering",
    task="question-answering",
    architecture="BertForQuestionAnswering",
    licence="Apache-2.0 (MiniLM); questions under CC BY-SA 4.0, Apache-2.0 and for research use",
    languages=("en",),
    base="minilm",
    train=train,
    score=score,
    summary="Finds the words of a text that answer a question.",
    data=(
        "Questions with their answers: XQuAD, English (Artetxe et al. 2020, CC BY-SA 4.0), 776 of 1,190; the "
        "paraphrased SQuAD questions (Gan and Ng 2019, CC BY-SA 4.0), 740 of 1,062 as asked and the same 740 "
        "paraphrased; COVID-QA (Möller et al. 2020, Apache-2.0), 1,380; PolicyQA (Ahmad et al. 2020, research use), "
        "1,000 drawn from 7,961. Questions made from text alone: 5,489 cloze questions on the 652 paragraphs of the "
        "first two sets; 2,101 on paraphrases of the MSR Paraphrase Corpus (Dolan and Brockett 2005, Microsoft "
        "Research licence; without the pairs that lessons show); 279 definitions (“what is X?”) from the paragraphs "
        "and the articles of COVID-QA. SubjQA was left out: its answers are opinions, and some of its spans answer "
        "nothing."
    ),
    held_out=(
        "Ten of the 48 articles of XQuAD (every fifth in alphabetical order; 285 questions) are the test: 1973 oil "
        "crisis, Chloroplast, Doctor Who, Fresno, Immune system, Kenya, Oxygen, Rhine, Super Bowl 50, Victoria and "
        "Albert Museum. Five more are for validation (255 questions of both sets): Amazon rainforest, Economic "
        "inequality, Imperialism, Packet switching, Teacher. Their questions are in no training stage, and neither "
        "are their texts, not even without questions. The paraphrased set is on the same articles and does not name "
        "them: 101 of its 797 paragraphs are XQuAD's own, and every other one is counted as of the article that it "
        "is most like (TF-IDF), with held-out articles preferred in doubt. No paragraph that was kept shares a run "
        "of eight words with one of the test, and neither does any text of the other sets that was used."
    ),
    method=(
        "LoRA of rank 32 on all six matrices of each layer (alpha 64) and a fresh span head; cross-entropy of the "
        "first and last token of the answer among the tokens of the text; AdamW, batches of 2,048 tokens, bfloat16 "
        "products, no dropout in attention. First stage: one pass over 12,226 questions, made-up and real, in "
        "windows of 75 words (rate 0.001, falling to zero; 589 steps, 19 processor minutes; validation F1 0.29 "
        "after a quarter of it, 0.37, 0.41 and 0.48). Second stage: two passes over 1,450 questions on Wikipedia "
        "and 150 made-up definitions, in new windows of 80 words (rate 0.0007; 166 steps, 5 minutes; 0.47 and "
        "0.53; all of seed 0). An answer is the "
        "span of at most 30 tokens with the highest sum of start and end score; its probability is a softmax over "
        "all such spans."
    ),
    weaknesses=(
        "Finding the place: a quarter of the answers to the 285 held-out questions come from a wrong sentence. "
        "Where the sentence is right, F1 is 0.71, and 0.58 of the answers are exact.",
        "Long texts and long answers: F1 is 0.62 on paragraphs of fewer than 100 words and 0.49 on longer ones, and "
        "0.33 for the 13 answers of eight words and more. It was never measured on a text of more than one "
        "paragraph.",
        "Of the kinds of question, “what” is the hardest of the frequent ones: F1 0.50 (104 questions), beside 0.55 "
        "for “who” (63) and 0.61 for “how many” (28).",
        "Who did what to whom: with “Maria sold the old car to John in 1999”, “Who bought the car?” gives Maria "
        "(0.93).",
        "Counting and comparing: “How many cars did Maria sell?” gives “the old car to John in 1999” (0.56). With "
        "two towers of 330 and 333 metres in the text, “How tall is the Eiffel Tower?” gives the height of the "
        "other one.",
    ),
    misleads=(
        "It answers every question. Asked about a paragraph of another article, it still answers, and in 26 % of "
        "the cases with a probability above 0.5 (53 % where the text has the answer). A text that says who built "
        "the Eiffel Tower makes it answer “Who built the Tokyo Tower?” with Gustave Eiffel (0.87).",
        "Its probability is among the spans of this text, not that of being right. Of the answers above 0.8, 79 % "
        "are exact; of those between 0.2 and 0.4, 21 %. The right answer to “What is natural language processing?” "
        "has 0.22.",
        "It looks like reading where it matches words: with the words of the question in random order, it gives the "
        "same answer to 48 % of the questions, and F1 falls only from 0.55 to 0.43. An attribution that points at a "
        "content word of the question does not show that the question was understood.",
        "Asked nothing but the question word (“who?”, “when?”), it still has an F1 of 0.19: that much of its score "
        "needs no question.",
        "Part of the score may be memory, which was not measured: MiniLM was pre-trained by others, on Wikipedia too.",
    ),
)
