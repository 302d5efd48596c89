"""attribute(): what a model's answer comes from, by integrated gradients or one of three other methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from course.attending import run
from course.attention import Attention
from course.attributions.attribution import METHODS, Attribution
from course.attributions.embedded import AttributionError, Embedded, embeddings_of, rows_at_once, unchanged
from course.attributions.gradients import (
    MOST_STEPS,
    TOLERANCE,
    Shares,
    gradient_x_input,
    integrated_gradients,
    occlusion,
)
from course.attributions.pictures import embedded_picture
from course.attributions.spans import Best
from course.attributions.targets import OF, Target, label_target, span_target
from course.inputs import read
from course.models.entries import CLASSIFICATIONS
from course.tokens import Tokens
from course.vision.baselines import BASELINES as PICTURES
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model

BASELINES = ("mask", "pad", "zero")
_AGREEMENT = 1e-3


def attribute(
    model: Model,
    text: Any,
    pair: str | None = None,
    *,
    target: str | int | None = None,
    span: Best | None = None,
    method: str = "integrated_gradients",
    of: str = "logit",
    baseline: Any = None,
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
    batch_size: int | None = None,
    truncate: bool = False,
) -> Attribution:
    """How much each token of a text or sentence pair, or each patch of an image, counted for a label or an answer.

    Of a classifier, ``target`` is a label or its number, and the most probable one if left out. In extractive
    question answering ``text`` is the question and ``pair`` the context; ``target`` is "start", "end" or "span"
    (both; if left out) of ``span``, which is the best span of the context if left out. ``of`` says whether the
    "logit" is explained or the "probability". A logit says how much speaks for the label whatever speaks for
    others; a probability is of the choice, but hardly moves once the model is sure.

    ``method`` is one of:

    - "integrated_gradients": the gradient along the path from a baseline to the text, integrated. The values sum to
      the change of the score between the two, up to ``tolerance`` times that change; the number of steps is doubled
      until they do, or until ``most_steps``, and then the record says that they do not (`Attribution.complete`).
    - "gradient_x_input": the gradient at the text times the embeddings; a local view, without a baseline.
    - "occlusion": by how much the score falls when a token alone is replaced by that of the baseline. It is
      replaced and not taken out, because taking it out would move all later tokens and the answer with them.
    - "attention": the raw weights of the last layer, averaged over heads, from the token that the head of the model
      reads ([CLS], or start and end of the answer). It has no sign and knows nothing of the target; it is here to
      be compared with, and is no explanation by itself (Jain and Wallace 2019, arXiv 1902.10186).

    ``baseline`` replaces every token but the special ones, which stay and therefore have 0 in integrated gradients:
    by [MASK] ("mask", the default, which pre-training has taught as "a word, unknown which"), by [PAD] ("pad", never
    attended to in training) or by no word at all ("zero", a vector that the model has never seen). What is neutral to
    a model is not known beforehand: `Attribution.baseline_score` says what it makes of the baseline.

    Of an image (a path, a PIL image or an array, see `course.attend`) it is a picture: "black", the default; "white";
    "mean", all of the image's mean colour; "blur"; or an image of your own (a Path, a PIL image or an array). A patch
    that is as in the baseline has 0 in integrated gradients and occlusion, whatever the model makes of it: on black,
    dark parts cannot count. So look at two baselines. Occlusion replaces the pixels of one patch by the baseline's.

    Misleads where the baseline is not neutral; where words act together (of "not bad", each has half of a story);
    and wherever it is taken for the model's reasoning. `of` and ``baseline`` change the values, so name them.

    At most ``batch_size`` rows are run at once; if left out, as many as fit into about a gigabyte. Nothing of the
    model is changed. Raises AttributionError for a model that this does not fit and for options that do not exist;
    InputError for a text or image that cannot be read.

    >>> import course
    >>> found = course.attribute(course.load("sentiment"), "a gorgeous, witty movie", target="positive")
    >>> found.strongest(1)[0].text, found.complete
    ('gorgeous', True)
    """
    _check_model(model, pair)
    if baseline is None:
        baseline = "black" if model.reads_images else "mask"
    _check_options(model, method, of, baseline, tolerance, most_steps, batch_size)
    tokens, inputs = read(model, text, pair, truncate=truncate)
    with unchanged(model.module):
        on_device = {name: tensor.to(model.device) for name, tensor in inputs.items()}
        with torch.no_grad():
            outputs = model.module(**on_device)
        if model.task == "question-answering":
            goal = span_target(tokens, outputs, target, span, of)
        else:
            goal = label_target(model, outputs.logits[0], target, of)
        if method == "attention":
            return _attention(model, tokens, inputs, goal, float(goal.score(outputs)[0]))
        if isinstance(tokens, Patches):
            pixels = on_device["pixel_values"]
            embedded, instead = embedded_picture(model, tokens, pixels, goal, baseline, batch_size)
        else:
            embedded, instead = _embedded(model, tokens, on_device, goal, baseline, batch_size)
        _check_same(model, goal, outputs, embedded)
        shares = _shares(embedded, tokens, method, tolerance, most_steps)
    return _record(model, tokens, goal, shares, method, instead, tolerance)


def _shares(embedded: Embedded, tokens: Tokens, method: str, tolerance: float, most_steps: int) -> Shares:
    if method == "integrated_gradients":
        return integrated_gradients(embedded, tolerance, most_steps)
    if method == "gradient_x_input":
        return gradient_x_input(embedded)
    return occlusion(embedded, [i for i, special in enumerate(tokens.special) if not special])


def _record(
    model: Model, tokens: Tokens, goal: Target, shares: Shares, method: str, baseline: str, tolerance: float
) -> Attribution:
    return Attribution(
        values=shares.values,
        tokens=tokens,
        target=goal.name,
        of=goal.of,
        predicted=goal.predicted,
        score=shares.score,
        method=method,
        model=model.title,
        baseline=baseline,
        baseline_score=shares.baseline_score,
        tolerance=tolerance if method == "integrated_gradients" else None,
        steps=shares.steps,
        level=_level(tokens),
    )


def _level(tokens: Tokens) -> str:
    return "patches" if isinstance(tokens, Patches) else "tokens"


def _embedded(
    model: Model, tokens: Tokens, inputs: Mapping[str, Tensor], goal: Target, baseline: str, batch_size: int | None
) -> tuple[Embedded, str]:
    """The text as word vectors, beside those of the baseline, and what the baseline is."""
    words = model.module.get_input_embeddings()
    ids = inputs["input_ids"]
    with torch.no_grad():
        vectors = words(ids).clone()
        blank = {"mask": model.tokenizer.mask_token_id, "pad": model.tokenizer.pad_token_id}.get(baseline)
        other = torch.zeros_like(vectors) if blank is None else words(torch.full_like(ids, blank)).clone()
        kept = torch.tensor(tokens.special, device=ids.device)
        other[0, kept] = vectors[0, kept]
    rest = {name: tensor for name, tensor in inputs.items() if name != "input_ids"}
    embedded = Embedded(
        module=model.module,
        layer=embeddings_of(model.module, model.title),
        inputs=vectors,
        baseline=other,
        score=_scored(model.module, rest, goal),
        rows=rows_at_once(model.module, len(tokens)) if batch_size is None else batch_size,
    )
    instead = {"mask": model.tokenizer.mask_token, "pad": model.tokenizer.pad_token, "zero": "a vector of zeros"}
    return embedded, f"{instead[baseline]} in place of every token but special ones"


def _scored(module: Any, rest: Mapping[str, Tensor], goal: Target) -> Callable[[Tensor], Tensor]:
    def score(vectors: Tensor) -> Tensor:
        others = {name: tensor.expand(len(vectors), -1) for name, tensor in rest.items()}
        return goal.score(module(inputs_embeds=vectors, **others))

    return score


def _attention(model: Model, tokens: Tokens, inputs: Mapping[str, Tensor], goal: Target, score: float) -> Attribution:
    att = Attention.of(getattr(run(model, inputs)[0], "attentions", None), tokens, model=model.title)
    rows = att.weights[-1].double().mean(0)
    readers = " and ".join(tokens.texts[i] for i in dict.fromkeys(goal.readers))
    return Attribution(
        values=rows[list(dict.fromkeys(goal.readers))].mean(0),
        tokens=tokens,
        target=goal.name,
        of=goal.of,
        predicted=goal.predicted,
        score=score,
        method="attention",
        model=model.title,
        baseline=f"layer {att.layers - 1}, mean over {att.heads} heads, from {readers}",
        level=_level(tokens),
    )


def _check_same(model: Model, goal: Target, outputs: Any, embedded: Embedded) -> None:
    """A model that reads word vectors otherwise than words would be explained for another input."""
    by_words, by_vectors = float(goal.score(outputs)[0]), float(embedded.scores(embedded.inputs)[0])
    if not abs(by_words - by_vectors) <= _AGREEMENT * max(1.0, abs(by_words)):
        raise AttributionError(
            f"{model.title} gives {by_words:.4f} for the words and {by_vectors:.4f} for their vectors, so its "
            "embeddings cannot be explained: use method='attention'"
        )


def _check_model(model: Model, pair: str | None) -> None:
    kind = type(model.module).__name__
    if model.encoder_decoder:
        raise AttributionError(
            f"{model.title} is an encoder–decoder, which writes a text instead of choosing a label: attribute() "
            "explains classifiers and question answering; course.attend shows what each written token looks at"
        )
    if model.causal:
        raise AttributionError(
            f"{model.title} is a causal model, which predicts the next token: attribute() explains classifiers and "
            "question answering; course.lens looks inside a model that generates"
        )
    if model.task not in (*CLASSIFICATIONS, "question-answering"):
        raise AttributionError(
            f"{model.title} is a {kind}, which gives neither labels nor answers: load a model with a classification "
            "or question answering head, such as course.load('sentiment')"
        )
    if model.task == "question-answering" and pair is None:
        raise AttributionError("question answering needs a question and a context: attribute(model, question, context)")
    if pair is not None and pair in model.labels:
        raise AttributionError(
            f"{pair!r} is a label of {model.title}, but stands where a second text does: write target={pair!r}"
        )


def _check_options(
    model: Model, method: str, of: str, baseline: Any, tolerance: float, most_steps: int, batch_size: int | None
) -> None:
    named = [("method", method, tuple(METHODS)), ("of", of, OF)]
    if isinstance(baseline, str) or not model.reads_images:  # a baseline of images may be an image
        named.append(("baseline", baseline, tuple(PICTURES) if model.reads_images else BASELINES))
    for name, value, known in named:
        if value not in known:
            raise AttributionError(f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}")
    if not model.reads_images and baseline != "zero" and getattr(model.tokenizer, f"{baseline}_token_id", None) is None:
        raise AttributionError(f"the tokenizer of {model.title} has no {baseline} token: use another of {BASELINES}")
    if not 0 < tolerance < 1:
        raise AttributionError(f"tolerance must be a share of the change between 0 and 1, not {tolerance!r}")
    for name, count in (("most_steps", most_steps), ("batch_size", 1 if batch_size is None else batch_size)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise AttributionError(f"{name} must be a whole number from 1, not {count!r}")
