"""generate(): let a causal model go on with a text, and for each token that it writes say where that came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from course.attributions.attribution import Attribution
from course.attributions.embedded import Embedded, rows_at_once, unchanged
from course.attributions.gradients import MOST_STEPS, TOLERANCE, Shares, gradient_x_input, integrated_gradients
from course.attributions.targets import OF
from course.causal.continuation import continued
from course.causal.generation import Generation, Step
from course.causal.parts import LensError, check_causal
from course.causal.vocabulary import Vocabulary
from course.tokenising import tokenise
from course.tokens import InputError

if TYPE_CHECKING:
    from course.models import Model

SALIENCIES = ("gradient_x_input", "integrated_gradients")
BASELINES = {"mean": "the mean of all word vectors", "zero": "a vector of zeros"}


def generate(
    model: Model,
    text: str,
    length: int = 20,
    *,
    temperature: float | None = None,
    seed: int = 0,
    method: str | None = "gradient_x_input",
    of: str = "logit",
    baseline: str = "mean",
    tolerance: float = TOLERANCE,
    most_steps: int = MOST_STEPS,
    batch_size: int | None = None,
) -> Generation:
    """Let a causal model write up to ``length`` tokens after ``text``, and attribute each to the tokens before it.

    Without ``temperature`` it takes the most probable token each time (greedy), and of equals the first in the
    vocabulary. With one, tokens are drawn from ``seed``; 1 is the model's own distribution, less sharpens it. It
    stops after a token that ends texts.

    ``method`` is "gradient_x_input" (one pass back; its values make no sum), "integrated_gradients" (many, and the
    values sum to the change of the score from the baseline; `Attribution.complete` says if they do), or None, which
    writes only. Both are of the word vectors; positions stay. What is explained is the "logit" of the written token
    or its "probability" (``of``). ``baseline`` replaces every word vector: by the mean of the vocabulary ("mean"), or
    by zeros ("zero"). In models without learnt positions, such as Llama, zeros have no direction: the norms make a
    cliff of them, and sums are seldom complete. Gradient × input uses no baseline; there it only gives the
    completeness gap something to be measured from.

    Misleads as attributions do (see `course.attribute`), and in two more ways. A logit alone has no meaning: what
    raises all logits alike changes nothing, and of="probability" is free of that. And the first tokens of a text
    often gather large values, because every later token attends to them.

    At most ``batch_size`` rows are run at once. Nothing of the model is changed. Raises LensError for a model that
    is not causal and for options that do not exist; InputError for text that cannot be read or leaves no room.
    """
    check_causal(model, "generation")
    _check_options(length, temperature, method, of, baseline, tolerance, most_steps, batch_size)
    tokens, inputs = tokenise(model, text)
    longest = model.limits.longest
    if longest is not None and len(tokens) + length > longest:
        raise InputError(
            f"{len(tokens)} tokens and {length} to be written are more than the {longest} that {model.title} reads: "
            f"shorten the text, or write at most {longest - len(tokens)}"
        )
    vocabulary = Vocabulary(model.tokenizer, int(model.module.config.vocab_size), model.title)
    prompt: list[int] = inputs["input_ids"][0].tolist()
    steps: list[Step] = []
    draw = torch.Generator().manual_seed(seed)
    ends = _ends(model.module)
    written: list[int] = []
    with unchanged(model.module):
        while len(written) < length and not (written and written[-1] in ends):
            logits = _next_logits(model, [*prompt, *written])
            number = int(logits.argmax()) if temperature is None else _drawn(logits, temperature, draw)
            saliency = None
            if method is not None:
                embedded = _embedded(model, [*prompt, *written], number, of, baseline, batch_size)
                shares = (
                    gradient_x_input(embedded)
                    if method == "gradient_x_input"
                    else integrated_gradients(embedded, tolerance, most_steps)
                )
                saliency = Attribution(
                    values=shares.values,
                    tokens=continued(model.tokenizer, tokens, prompt, written),
                    target=vocabulary.text(number),
                    of=of,
                    predicted=bool(number == int(logits.argmax())),
                    model=model.title,
                    baseline=f"{BASELINES[baseline]} in place of every token",
                    **_account(shares, method, tolerance),
                )
            steps.append(_step(vocabulary, logits, number, saliency))
            written.append(number)
    return Generation(
        tokens=continued(model.tokenizer, tokens, prompt, written),
        prompt=len(prompt),
        steps=tuple(steps),
        temperature=temperature,
        seed=None if temperature is None else seed,
        ended=written[-1] in ends,
        model=model.title,
    )


def _account(shares: Shares, method: str, tolerance: float) -> dict[str, Any]:
    complete = method == "integrated_gradients"
    return {
        "method": method, "score": shares.score, "baseline_score": shares.baseline_score,
        "tolerance": tolerance if complete else None, "steps": shares.steps,
    }  # fmt: skip


def _step(vocabulary: Vocabulary, logits: Tensor, number: int, saliency: Attribution | None) -> Step:
    return Step(
        number=number,
        text=vocabulary.text(number),
        probability=float(logits.softmax(-1)[number]),
        rank=int((logits > logits[number]).sum()) + 1,
        attribution=saliency,
    )


def _next_logits(model: Model, numbers: Sequence[int]) -> Tensor:
    """Of the token after these; float64, on the CPU."""
    with torch.no_grad():
        ids = torch.tensor([list(numbers)], device=model.device)
        logits: Tensor = model.module(input_ids=ids, use_cache=False).logits[0, -1].double().cpu()
    if not torch.isfinite(logits).all():
        raise LensError(f"{model.title} returned logits that are not numbers (NaN or infinity)")
    return logits


def _drawn(logits: Tensor, temperature: float, draw: torch.Generator) -> int:
    return int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=draw))


def _ends(module: Any) -> set[int]:
    """The tokens after which a text ends; the model may state one, several or none."""
    stated = getattr(module, "generation_config", None) or module.config
    found = stated.eos_token_id
    return set() if found is None else set(found) if isinstance(found, (list, tuple)) else {int(found)}


def _embedded(
    model: Model, numbers: Sequence[int], target: int, of: str, baseline: str, batch_size: int | None
) -> Embedded:
    """The text as word vectors, beside those of the baseline; the layer is where they enter the model."""
    words = model.module.get_input_embeddings()
    ids = torch.tensor([list(numbers)], device=model.device)
    with torch.no_grad():
        vectors = words(ids).clone()
        # By the module, which may scale its vectors: Gemma's does.
        blank = words(torch.arange(words.num_embeddings, device=ids.device)).mean(0) if baseline == "mean" else 0.0
        other = torch.zeros_like(vectors) + blank
    entry = nn.Identity()  # causal models add positions in various places, or turn queries and keys by them
    return Embedded(
        module=model.module,
        layer=entry,
        inputs=vectors,
        baseline=other,
        score=_scored(model.module, entry, target, of),
        rows=rows_at_once(model.module, len(numbers)) if batch_size is None else batch_size,
    )


def _scored(module: Any, entry: nn.Module, target: int, of: str) -> Callable[[Tensor], Tensor]:
    def score(vectors: Tensor) -> Tensor:
        logits: Tensor = module(inputs_embeds=entry(vectors), use_cache=False).logits[:, -1]
        return (logits.softmax(-1) if of == "probability" else logits)[:, target]

    return score


def _check_options(
    length: int, temperature: float | None, method: str | None, of: str, baseline: str,
    tolerance: float, most_steps: int, batch_size: int | None,
) -> None:  # fmt: skip
    known: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
        ("method", method, (*SALIENCIES, None)), ("of", of, OF), ("baseline", baseline, tuple(BASELINES)),
    )  # fmt: skip
    for name, value, allowed in known:
        if value not in allowed:
            raise LensError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
    if temperature is not None and not 0 < temperature < float("inf"):
        raise LensError(f"temperature must be above 0, or None for the most probable token, not {temperature!r}")
    if not 0 < tolerance < 1:
        raise LensError(f"tolerance must be a share of the change between 0 and 1, not {tolerance!r}")
    counts = (("length", length), ("most_steps", most_steps), ("batch_size", 1 if batch_size is None else batch_size))
    for name, count in counts:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise LensError(f"{name} must be a whole number from 1, not {count!r}")
