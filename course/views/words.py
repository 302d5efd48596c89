"""A picture in words: its title, its alt text, and a summary, made from the weights that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course.attention import Attention
from course.views.selection import Choice, Part, label

_MOST_LINES = 12


class Link(NamedTuple):
    """One weight with its tokens: the query looks at the key."""

    query: str
    key: str
    weight: float

    def __str__(self) -> str:
        return f"{self.query} → {self.key} {self.weight:.2f}"


def links(part: Part, choice: Choice, layer: int, head: int, k: int = 3) -> list[Link]:
    """The ``k`` largest weights of one head among the rows and columns shown, ties in reading order."""
    weights = part.attention.head(layer, head).numpy()
    block = weights[choice.rows.start : choice.rows.stop, choice.columns.start : choice.columns.stop].ravel()
    k = min(k, block.size)
    # Not a sort of all: a view asks for this of many heads.
    found = np.flatnonzero(block >= np.partition(block, -k)[-k])
    best = found[np.argsort(-block[found], kind="stable")][:k]
    places = [divmod(int(i), len(choice.columns)) for i in best]
    return [
        Link(part.queries[choice.rows[row]], part.keys[choice.columns[column]], float(block[i]))
        for i, (row, column) in zip(best, places, strict=True)
    ]


def focus(weights: Tensor) -> Tensor:
    """How focused each head is: its largest weight in a row, averaged over the rows; layers x heads, 0 to 1."""
    return torch.from_numpy(weights.numpy().max(-1).mean(-1))


def most_focused(weights: Tensor) -> tuple[int, int, float]:
    """(layer, head, focus) of the most focused head; of equals, the first."""
    scores = focus(weights)
    best = int(torch.sort(scores.flatten(), descending=True, stable=True).indices[0])
    return best // scores.shape[1], best % scores.shape[1], float(scores.flatten()[best])


def title(kind: str, parts: Sequence[Part]) -> str:
    """The heading of a view, such as "Head view of MiniLM: 6 layers × 12 heads, 9 tokens"."""
    if len(parts) == 1:
        return f"{kind} of {model_name(parts[0])}: {extent(parts[0].attention)}"
    sizes = ", ".join(f"{part.name} {part.attention.layers} × {part.attention.heads}" for part in parts)
    return f"{kind} of {model_name(parts[0])}: {sizes} (layers × heads)"


def model_name(part: Part) -> str:
    """The model's name as a view shows it."""
    return label(part.attention.model)


def extent(att: Attention) -> str:
    """The size of an attention in words."""
    rows, columns = len(att.queries), len(att.keys)
    tokens = f"{columns} tokens" if att.kind != "cross" else f"{rows} × {columns} tokens"
    return f"{att.layers} layers × {att.heads} heads, {tokens}".replace("1 layers", "1 layer")


def notes(parts: Sequence[Part]) -> list[str]:
    """What a reader must know to read the picture rightly: masks, removed and dropped tokens."""
    found = []
    for part in parts:
        att, of = part.attention, "" if len(parts) == 1 else f" ({part.name})"
        if att.causal:
            found.append(f"Causal: a token looks at itself and at tokens before it, never at later ones{of}.")
        if att.removed is not None:
            found.append(
                f"Special tokens are left out{of}; they held {att.removed.mean():.0%} of the attention, "
                "and what is left was made to sum to 1."
            )
        dropped = att.queries.dropped + (0 if att.keys is att.queries else att.keys.dropped)
        if dropped:
            found.append(f"The input was too long{of}: {dropped} tokens were dropped at its end.")
    return found


def head_words(part: Part, choice: Choice, layer: int, heads: Sequence[int], heading: str) -> tuple[str, str]:
    """Alt text and summary of a head view at one layer."""
    strongest = {head: links(part, choice, layer, head, 3 if len(heads) <= 3 else 1) for head in heads}
    alone = sorted((found[0] for found in strongest.values()), key=lambda link: -link.weight)
    best = strongest[heads[0]] if len(heads) == 1 else alone[:3]
    where = place(layer, heads)
    alt = (
        f"Lines from {len(choice.rows)} query tokens to {len(choice.columns)} key tokens, {where} of "
        f"{model_name(part)}{block_note(choice)}. Strongest: {_listed(best)}. {_focus_sentence(part)}"
    )
    lines = [f"{heading}", f"Shown: {where}{block_note(choice)}. Strongest links (query → key weight):"]
    lines += [f"  head {head}: {_listed(found)}" for head, found in list(strongest.items())[:_MOST_LINES]]
    if len(strongest) > _MOST_LINES:
        lines.append(f"  … and {len(strongest) - _MOST_LINES} more heads")
    return alt, "\n".join([*lines, _focus_sentence(part), *notes([part])])


def model_words(part: Part, choice: Choice, heading: str) -> tuple[str, str]:
    """Alt text and summary of a model view: the most focused head of each layer, and its strongest link."""
    scores = focus(part.weights)
    rows = []
    for position, layer in enumerate(part.layers):
        best = int(torch.sort(scores[position], descending=True, stable=True).indices[0])
        head = part.heads[best]
        rows.append((float(scores[position, best]), layer, head, links(part, choice, layer, head, 1)[0]))
    _, layer, head, link = max(rows, key=lambda row: row[0])
    alt = (
        f"A grid of {len(part.layers)} layers × {len(part.heads)} heads of {model_name(part)}: the attention of "
        f"{len(choice.rows)} query tokens to {len(choice.columns)} key tokens{block_note(choice)}. "
        f"In the most focused of them, layer {layer} head {head}, the strongest link is {link}. "
        f"{_focus_sentence(part)}"
    )
    lines = [
        heading,
        f"Shown: {numbers_of('layer', part.layers)}, {numbers_of('head', part.heads)}{block_note(choice)}.",
    ]
    lines.append("The most focused head shown of each layer, and its strongest link (query → key weight):")
    lines += [
        f"  layer {layer}: head {head} (focus {score:.2f}), {link}" for score, layer, head, link in rows[:_MOST_LINES]
    ]
    if len(rows) > _MOST_LINES:
        lines.append(f"  … and {len(rows) - _MOST_LINES} more layers")
    return alt, "\n".join([*lines, _focus_sentence(part), *notes([part])])


def place(layer: int, heads: Sequence[int]) -> str:
    """Such as "layer 2, heads 0 to 11"."""
    return f"layer {layer}, {numbers_of('head', heads)}"


def _focus_sentence(part: Part) -> str:
    layer, head, score = most_focused(part.attention.weights)
    count = part.attention.layers * part.attention.heads
    of = "" if part.name == "all" else f" of the {part.name}"
    return (
        f"Most focused of all {count} heads{of}: layer {layer} head {head} "
        f"(its queries put {score:.2f} on their first choice, on average)."
    )


def block_note(choice: Choice) -> str:
    """Which block is shown, in brackets; nothing where it is all there is."""
    return "" if choice.name == "all" else f" ({choice.label[0].lower()}{choice.label[1:]})"


def _listed(found: Sequence[Link]) -> str:
    return ", ".join(map(str, found))


def numbers_of(noun: str, numbers: Sequence[int]) -> str:
    """Such as "layer 3", "heads 2, 9" or "layers 0 to 5"."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{noun}s {numbers[0]} to {numbers[-1]}"
    return f"{noun}s {', '.join(map(str, numbers))}"
