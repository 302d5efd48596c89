"""A neuron view in words: which query, what it looks at most, and which dimensions make it do so."""

from __future__ import annotations

from collections.abc import Sequence

from course.views.selection import Part
from course.views.vectors import Reading, Vectors
from course.views.words import model_name, notes, place

_KEYS, _DIMENSIONS = 5, 3


def neuron_words(
    part: Part, reading: Reading, vectors: Vectors, layer: int, head: int, heading: str
) -> tuple[str, str]:
    """Alt text and summary of one query of one head."""
    query = part.queries[reading.query]
    best = reading.strongest(_KEYS)
    where = f"{place(layer, [head])} of {model_name(part)}"
    first = part.keys[reading.keys[best[0]]]
    alt = (
        f"How the query {query} (token {reading.query}) makes its attention in {where}: its vector of {vectors.size} "
        f"numbers, {_count(len(reading.keys), 'key vector')}, their products, scores and weights. Strongest keys: "
        f"{', '.join(_key(part, reading, row) for row in best[:3])}. The largest products of {query} and {first} are "
        f"in {dimensions(reading, best[0])}."
    )
    lines = [
        heading,
        f"Shown: {place(layer, [head])}, query {query} (token {reading.query}). A score is q·k/√{vectors.size}; "
        "softmax makes the scores of all keys into weights.",
        "Strongest keys, and the dimensions whose products q_i·k_i are largest:",
    ]
    lines += [f"  {_key(part, reading, row)}: {dimensions(reading, row)}" for row in best]
    return alt, "\n".join([*lines, *factor_note(vectors), *notes([part])])


def dimensions(reading: Reading, row: int) -> str:
    """Such as "dimension 5 (+1.92), 17 (-0.88) and 20 (+0.61)", which were found to be the largest."""
    found = [f"{i} ({product:+.2f})" for i, product in reading.dimensions(row, _DIMENSIONS)]
    if len(found) == 1:
        return f"dimension {found[0]}"
    return f"dimensions {', '.join(found[:-1])} and {found[-1]}"


def factor_note(vectors: Vectors) -> list[str]:
    """That the queries were multiplied, where the model does not scale by 1/√size."""
    scaled = [f"layer {layer} by {factor:.4g}" for layer, factor in enumerate(vectors.factor) if factor != 1]
    if not scaled:
        return []
    listed = ", ".join(scaled[:4]) + (f" and {len(scaled) - 4} more" if len(scaled) > 4 else "")
    return [
        f"This model does not divide its scores by √{vectors.size} as usual; so that the picture can, the queries are "
        f"multiplied ({listed}). The weights are the model's own."
    ]


def pale_note(vectors: Sequence[Vectors]) -> list[str]:
    """That the colours are pale, where every number is small."""
    largest = max(float(each.abs().max()) for some in vectors for each in (some.queries, some.keys))
    if largest >= 1:
        return []
    return [f"The vectors of this model are small (no number exceeds {largest:.2g}), so their colours are pale."]


def _key(part: Part, reading: Reading, row: int) -> str:
    return f"{part.keys[reading.keys[row]]} {float(reading.weights[row]):.2f} (score {float(reading.scores[row]):.2f})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
