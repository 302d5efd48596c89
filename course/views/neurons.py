"""neuron_view: how queries and keys make attention, drawn by bertviz's own script.

Where bertviz computes queries and keys with models of its own, this takes those that `course.attend` took from
the model by hooks, and checks that they make the model's own attention before anything is drawn.

A browser stalls where there are too many SVG elements: a picture may have `ELEMENTS`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from course.attention import Attention, EncoderDecoderAttention
from course.views import words
from course.views.neuron_page import Block, Carried, Opening, neuron_page
from course.views.neuron_twin import neuron_twin
from course.views.neuron_words import neuron_words
from course.views.selection import Choice, Part, checked_index, choices_of, chosen, parts_of
from course.views.vectors import reading_of, vectors_of
from course.views.view import BUDGET, View, ViewError

ELEMENTS = 130_000
"""The most elements that a picture may have; about three seconds in a browser."""

_ROOM = BUDGET - 700_000  # what scripts and static picture leave for the numbers


def neuron_view(
    att: Attention | EncoderDecoderAttention,
    *,
    layer: int = 0,
    head: int = 0,
    query: int | str | None = None,
    tokens: Iterable[int] | None = None,
    show: str | None = None,
    theme: str = "auto",
) -> View:
    """From a query and the keys to the attention of one head: vectors, products, scores, softmax.

    ``att`` is what `course.attend` returned, with its ``projections``. ``layer`` and ``head`` are what is shown at
    first; in the page every layer and head can be had, or where that would be too large, the heads of ``layer``,
    or ``head`` alone, which the page then says. ``query`` is the token to begin with, its text or its position; if
    left out, the one with the strongest link. ``tokens`` are positions of those to show, where all would be too many,
    as in images: their weights stay those among all tokens. ``show`` says what is seen first of a sentence pair ("all",
    "A→A", "B→B", "A→B", "B→A") or of an encoder–decoder ("encoder", "decoder", "cross").

    The numbers drawn are off by at most 1/65,534 of the largest of a head's vectors, weights by 1/131,070.

    Raises AttentionError for a layer or head that there is not; ViewError where there are no queries and keys, where
    they do not make this attention (the largest difference is named), where there are too many tokens to draw, and
    where ``tokens`` are none of them.
    """
    parts = parts_of(att)
    layer, head = checked_index("layer", layer, parts), checked_index("head", head, parts)
    vectors = [vectors_of(part) for part in parts]
    blocks, first = _of_tokens(tokens, show, parts) if tokens is not None else _of_parts(show, parts)
    blocks = _drawable(blocks, first, [each.size for each in vectors])
    part = parts[first.part]
    row = _query(part, first, layer, head, query)
    rows = tuple(
        row
        if block is first or (block.part == first.part and row in block.rows)
        else _strongest_query(parts[block.part], block, layer, head)
        for block in blocks
    )
    wanted = [
        Carried(one, its, range(len(one.queries)), range(len(one.keys)))
        if tokens is None
        else Carried(one, its, first.rows, first.columns)
        for one, its in zip(parts, vectors, strict=True)
    ]
    carried, other_heads = _fitting(wanted, layer, head)
    some = [] if tokens is None else _some_tokens(part, first)
    title = words.title("Neuron view", parts)
    opening = Opening(blocks.index(first), layer, head, rows)
    left_out = "".join(f"{line} " for line in [*some, *other_heads])
    page, height, fluid_height = neuron_page(title, carried, blocks, opening, theme=theme, left_out=left_out)
    reading = reading_of(part, vectors[first.part], first.columns, layer, head, row)
    alt, summary = neuron_words(part, reading, vectors[first.part], layer, head, title)
    return View(
        title,
        page,
        neuron_twin(part, reading, vectors[first.part], layer, head),
        " ".join([alt, *some]),
        "\n".join([summary, *some]),
        height,
        fluid_height,
        theme=theme,
        too_large="shorten the text, or choose some tokens with tokens=[…]",
    )


def _of_parts(show: str | None, parts: list[Part]) -> tuple[list[Block], Block]:
    """Everything that there is to see, and what is seen first."""
    choices = _some_seen(choices_of(parts), parts)
    blocks = [Block(one.name, one.label, one.part, one.rows, one.columns) for one in choices]
    return blocks, blocks[chosen(choices, show)]


def _of_tokens(tokens: Iterable[int], show: str | None, parts: Sequence[Part]) -> tuple[list[Block], Block]:
    """Only some tokens, in reading order.

    Raises ViewError for what are not their positions, and where there is no one list of tokens to choose from.
    """
    if show is not None or len(parts) > 1 or parts[0].attention.kind == "cross":
        raise ViewError(
            "tokens= chooses among the tokens of one attention to itself: leave out show=, and of an encoder–decoder "
            "give .encoder or .decoder"
        )
    texts = parts[0].queries
    try:
        found = sorted({operator.index(token) for token in tokens})
    except TypeError:
        raise ViewError(f"tokens must be positions such as tokens=[0, 3, 4] or range(20), not {tokens!r}") from None
    if not found or found[0] < 0 or found[-1] >= len(texts):
        raise ViewError(f"tokens must be positions from 0 to {len(texts) - 1}, at least one, not {found or 'none'}")
    block = Block("tokens", "Some tokens", 0, found, found)
    return [block], block


def _some_tokens(part: Part, block: Block) -> list[str]:
    """That not all tokens are there, where that is so."""
    if len(block.columns) == len(part.keys):
        return []
    return [f"Only {len(block.columns)} of the {len(part.keys)} tokens are shown; the weights are those among all."]


def _some_seen(choices: Sequence[Choice], parts: Sequence[Part]) -> list[Choice]:
    """Without the blocks that a causal mask empties: sentence A cannot look at B, which comes later."""
    return [
        choice
        for choice in choices
        if not parts[choice.part].attention.causal or choice.columns.start < choice.rows.stop
    ]


def _elements(block: Block, size: int) -> int:
    """How many elements bertviz 1.4.1 draws: a cell a number, and seven lines or frames a query and key."""
    rows, columns = len(block.rows), len(block.columns)
    return size * (rows + 2 * columns) + 7 * rows * columns


def _drawable(blocks: Sequence[Block], first: Block, sizes: Sequence[int]) -> list[Block]:
    """The blocks that have few enough elements, among which ``first`` must be."""
    drawable = [block for block in blocks if _elements(block, sizes[block.part]) <= ELEMENTS]
    if first in drawable:
        return drawable
    size, queries, keys = sizes[first.part], len(first.rows), len(first.columns)
    most = max(tokens for tokens in range(queries + keys) if 3 * size * tokens + 7 * tokens**2 <= ELEMENTS)
    shows = " or ".join(f"show={block.name!r}" for block in drawable)
    one_list = len(sizes) == 1 and queries == keys
    raise ViewError(
        f"this picture would have {queries} queries and {keys} keys of {size} numbers each, which are "
        f"{_elements(first, size):,} elements, and a browser draws {ELEMENTS:,} without stalling: "
        f"{f'choose {shows}, or ' if shows else ''}"
        f"{f'show some tokens, such as tokens=range({most}), or ' if one_list else ''}"
        f"shorten the text to at most {most} tokens"
    )


def _query(part: Part, block: Block, layer: int, head: int, query: Any) -> int:
    """The position of the query to begin with."""
    if query is None:
        return _strongest_query(part, block, layer, head)
    texts = part.attention.queries.texts
    if isinstance(query, str):
        found = [i for i in block.rows if texts[i] == query]
        if len(found) != 1:
            raise ViewError(_which_query(query, found, [part.queries[i] for i in block.rows]))
        return found[0]
    position = None
    if not isinstance(query, bool):
        with suppress(TypeError):
            position = operator.index(query)
    if position is None or position not in block.rows:
        whole = len(block.rows) == block.rows[-1] - block.rows[0] + 1
        raise ViewError(
            f"query must be the text of a token, or its position from {block.rows[0]} to {block.rows[-1]}"
            f"{'' if whole else ' and in tokens'}, not {query!r}"
        )
    return position


def _which_query(query: str, found: Sequence[int], texts: Sequence[str]) -> str:
    if found:
        return f"{query!r} is there {len(found)} times: give a position, query={' or query='.join(map(str, found))}"
    some = ", ".join(map(repr, texts[:12])) + (", …" if len(texts) > 12 else "")
    return f"no query here is {query!r}; there are {some}"


def _strongest_query(part: Part, block: Block, layer: int, head: int) -> int:
    """The ordinary token with the largest weight; in a causal model not the first, which sees only itself."""
    special = part.attention.queries.special
    rows = [i for i in block.rows if not part.attention.causal or i > block.columns[0]] or list(block.rows)
    rows = [i for i in rows if not special[i]] or rows
    weights = part.attention.head(layer, head)[:, list(block.columns)].amax(-1)
    return max(rows, key=lambda row: (float(weights[row]), -row))


def _fitting(carried: list[Carried], layer: int, head: int) -> tuple[list[Carried], list[str]]:
    """As many layers and heads as there is room for, and a line that says which these are if not all."""
    whole = sum(each.size for each in carried)
    if whole * 4 / 3 <= _ROOM:
        return carried, []
    heads = [replace(each, part=replace(each.part, layers=(layer,))) for each in carried]
    said = f"layer {layer}"
    if sum(each.size for each in heads) * 4 / 3 > _ROOM:
        heads = [replace(each, part=replace(each.part, heads=(head,))) for each in heads]
        said += f", head {head}"
    return heads, [
        f"This page has {said} only: all layers and heads would take {whole * 4 / 3e6:.1f} MB, and an output may have "
        f"{BUDGET / 1e6:.0f} MB. Ask for others with layer= and head=."
    ]
