"""lens_view, watch_view, factors_view and induction_view: tables of what a causal model does layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from course.causal.induction import KINDS, HeadScores
from course.causal.lenses import Lens, Watched
from course.causal.neuron_factors import Factors
from course.tokens import Tokens
from course.views.lens_cells import Cell, Sheet, rank_share, shown_positions
from course.views.lens_page import sheets_page
from course.views.lens_twin import sheet_twin
from course.views.selection import label
from course.views.view import View, ViewError

_RANKS = "rank, 1 is the most probable; by its logarithm"
_POSITIONS = "what the model has read up to there"


def lens_view(lens: Lens, *, positions: Sequence[int] | None = None, k: int = 3, theme: str = "auto") -> View:
    """A row a layer, a column a position: the token that would come next, the more colour the more probable.

    The page also has the ranks of the model's own choice, and of the token that does follow in the text. ``k``
    guesses are read out for each cell. ``positions`` are those shown; if left out all, or the last 40. ``theme`` is
    "light", "dark" or "auto". Raises ViewError for anything but a lens, and where the output would be too large.
    """
    _check("lens_view", lens, Lens, "call course.lens(model, text) first")
    places, notes = shown_positions(len(lens.tokens), positions)
    final, names = lens.final, lens.vocabulary.text
    follows = [*lens.ids[1:], None]
    columns = _columns(lens.tokens, places)
    guesses = [[lens.top(row, i, k) for i in places] for row in range(len(lens.labels))]
    own = lens.ranks(final[:, None])[:, :, 0].tolist()
    actual = lens.ranks(torch.tensor([[0 if one is None else one] for one in follows]))[:, :, 0].tolist()
    size = lens.logits.shape[-1]

    def place(row: int, i: int) -> str:
        return f"{label(lens.labels[row])}, after “{label(lens.tokens.texts[i])}” ({i})"

    sheets = [
        Sheet("First guess", lens.labels, columns, tuple(
            tuple(
                Cell(label(found[0].text), found[0].probability, f"{place(row, i)}: {_listed(found)}")
                for i, found in zip(places, guesses[row], strict=True)
            )
            for row in range(len(lens.labels))
        ), ("0", "1"), "probability of the first guess", _POSITIONS),
        _ranks(lens.labels, columns, "Rank of the model's own choice", [
            [(own[row][i], f"{place(row, i)}: {label(names(int(final[i])))}, the model's own choice") for i in places]
            for row in range(len(lens.labels))
        ], size),
    ]  # fmt: skip
    if any(follows[i] is not None for i in places):
        sheets.append(_ranks(lens.labels, columns, "Rank of the token that follows in the text", [
            [
                (actual[row][i], f"{place(row, i)}: {label(names(one))}, which follows in the text")
                if (one := follows[i]) is not None else (None, f"{place(row, i)}: nothing follows in the text")
                for i in places
            ]
            for row in range(len(lens.labels))
        ], size))  # fmt: skip
    title = f"Logit lens of {label(lens.model)}: {len(lens.logits) - 1} layers, {len(lens.tokens)} tokens"
    notes = ["Each cell: what the model would say next if it stopped after this layer. ␣ is a space.", *notes]
    settled = lens.settled[list(places)].tolist()
    last, at = places[-1], [lens.labels[row] for row in settled]
    by_row = "; ".join(f"{name}: {_listed(found[-1])}" for name, found in zip(lens.labels, guesses, strict=True))
    said = (
        f"After “{label(lens.tokens.texts[last])}” ({last}): {by_row}. There the model's own choice comes first from "
        f"{at[-1]} on, and at {sum(row == len(lens.logits) - 1 for row in settled)} of {len(places)} positions only "
        "after the last layer."
    )
    return _view(title, [*notes, *_dropped(lens.tokens)], sheets, said, theme, "choose fewer positions=")


def watch_view(watched: Watched, *, positions: Sequence[int] | None = None, theme: str = "auto") -> View:
    """The ranks of watched tokens over layers and positions; a darker cell is a better rank.

    Of several tokens, the first table compares them at the last of the positions. The rest as in `lens_view`.
    """
    _check("watch_view", watched, Watched, "call course.lens(model, text).watch(' token') first")
    places, notes = shown_positions(len(watched.tokens), positions)
    ranks, rows = watched.ranks.tolist(), range(len(watched.labels))

    def told(row: int, i: int, j: int) -> str:
        return (
            f"{watched.labels[row]}, after “{label(watched.tokens.texts[i])}” ({i}): {label(watched.texts[j])}, "
            f"probability {float(watched.probabilities[row, i, j]):.4f}"
        )

    columns, last, sheets = _columns(watched.tokens, places), places[-1], []
    if len(watched.texts) > 1:
        name = f"All, after “{label(watched.tokens.texts[last])}” ({last})"
        cells = [[(ranks[row][last][j], told(row, last, j)) for j in range(len(watched.texts))] for row in rows]
        tokens = tuple(map(label, watched.texts))
        sheets.append(_ranks(watched.labels, tokens, name, cells, watched.size, across="the watched tokens"))
    for j, text in enumerate(watched.texts):
        cells = [[(ranks[row][i][j], told(row, i, j)) for i in places] for row in rows]
        sheets.append(
            _ranks(watched.labels, columns, f"Rank of {label(text)} ({watched.numbers[j]})", cells, watched.size)
        )
    paths = [
        f"{label(text)}: {', '.join(f'{ranks[row][last][j]:,}' for row in rows)}"
        for j, text in enumerate(watched.texts)
    ]
    said = (
        f"Ranks as what comes after “{label(watched.tokens.texts[last])}” ({last}), from {watched.labels[0]} to "
        f"{watched.labels[-1]}. {'; '.join(paths)}."
    )
    title = f"Watched tokens in {label(watched.model)}: {', '.join(map(label, watched.texts))}"
    notes = [f"Rank of a token as the next one, among {watched.size:,}. ␣ is a space.", *notes]
    return _view(title, [*notes, *_dropped(watched.tokens)], sheets, said, theme, "choose fewer positions=")


def factors_view(factors: Factors, *, positions: Sequence[int] | None = None, theme: str = "auto") -> View:
    """A row a factor, a column a token: how much of the factor is there. One scale for all. See `lens_view`."""
    _check("factors_view", factors, Factors, "call course.neurons(model, text).factors() first")
    places, notes = shown_positions(len(factors.tokens), positions)
    most = float(factors.weights.max()) or 1.0
    texts, cells = factors.tokens.texts, []
    for row in range(len(factors)):
        of = f"Its strongest neurons (layer·neuron): {', '.join(map(str, factors.neurons(row, 3))) or 'none'}"
        values = [(i, float(factors.weights[row, i])) for i in places]
        cells.append(tuple(
            Cell(f"{value:.1f}" if value >= most / 50 else "", value / most,
                 f"factor {row}, at “{label(texts[i])}” ({i}): {value:.2f}. {of}")
            for i, value in values
        ))  # fmt: skip
    sheet = Sheet(
        "Factors over tokens", tuple(f"factor {i}" for i in range(len(factors))), _columns(factors.tokens, places),
        tuple(cells), ("0", f"{most:.1f}"), "how much of the factor", "the tokens",
    )  # fmt: skip
    tops = [
        f"factor {i}: {', '.join(label(str(one)) for one in factors.top(i, 4)) or 'nowhere'}"
        for i in range(len(factors))
    ]
    title = f"{len(factors)} factors of the neurons of {label(factors.model)}: {len(factors.tokens)} tokens"
    notes = [f"A factor is a group of neurons that are active together. {factors.account}.", *notes]
    said = f"Tokens that have most of each. {'; '.join(tops)}."
    return _view(title, [*notes, *_dropped(factors.tokens)], [sheet], said, theme, "choose fewer positions=")


def induction_view(scores: HeadScores, *, theme: str = "auto") -> View:
    """A row a layer, a column a head: how far it is an induction head, and in a second table a previous-token head."""
    _check("induction_view", scores, HeadScores, "call course.induction_scores(model) first")
    names = {"induction": "Induction", "previous": "Previous token"}
    sheets, said = [], []
    for kind, chance in zip(KINDS, scores.chance, strict=True):
        means = scores.mean(kind).tolist()
        heads = tuple(f"head {j}" for j in range(len(means[0])))
        sheets.append(Sheet(
            names[kind], tuple(f"layer {i}" for i in range(len(means))), heads,
            tuple(
                tuple(Cell(f"{v:.2f}", min(1.0, max(0.0, v)), f"{names[kind]}: layer {i} head {j}, {v:.3f}")
                      for j, v in enumerate(row))
                for i, row in enumerate(means)
            ), ("0", "1"), "mean attention weight", "the heads",
        ))  # fmt: skip
        layer, head = scores.strongest(kind)
        said.append(f"{names[kind]}: layer {layer} head {head} has most, {means[layer][head]:.3f} "
                    f"(even attention: {chance:.3f}).")  # fmt: skip
    title = f"Heads of {label(scores.model) or 'a model'} on random tokens, twice over"
    notes = [
        "Induction: attention to the token after the earlier copy. Previous token: attention to the token before.",
        f"Means over {len(scores.induction)} stretches of random tokens.",
    ]
    return _view(title, notes, sheets, " ".join(said), theme, "score a smaller model")


def _ranks(
    rows: tuple[str, ...], columns: tuple[str, ...], name: str, cells: Sequence[Sequence[tuple[int | None, str]]],
    size: int, across: str = _POSITIONS,
) -> Sheet:  # fmt: skip
    """A sheet of ranks, each with what is said of it; None leaves the cell empty."""
    made = tuple(
        tuple(
            Cell("", 0.0, said) if rank is None else Cell(f"{rank:,}", rank_share(rank, size), f"{said}, rank {rank:,}")
            for rank, said in row
        )
        for row in cells
    )
    return Sheet(name, rows, columns, made, (f"{size:,}", "1"), _RANKS, across)


def _view(title: str, notes: Sequence[str], sheets: Sequence[Sheet], said: str, theme: str, too_large: str) -> View:
    page, height, fluid_height = sheets_page(title, notes, sheets, theme=theme)
    first = sheets[0]
    alt = f"A table of {len(first.rows)} × {len(first.columns)} coloured cells: {first.name}. {said}"
    summary = "\n".join([title, said, *notes])
    return View(title, page, sheet_twin(title, notes, first), alt, summary, height, fluid_height, theme, too_large)


def _columns(tokens: Tokens, places: Sequence[int]) -> tuple[str, ...]:
    return tuple(label(tokens.texts[i]) for i in places)


def _dropped(tokens: Tokens) -> list[str]:
    return [f"The input was too long: {tokens.dropped} tokens were dropped at its end."] if tokens.dropped else []


def _listed(guesses: Sequence[Any]) -> str:
    return ", ".join(f"{label(one.text)} {one.probability:.3f}" for one in guesses)


def _check(name: str, record: object, kind: type, advice: str) -> None:
    if not isinstance(record, kind):
        raise ViewError(
            f"{name} draws a {kind.__name__}, not {type(record).__name__}: {advice}, and give what it returns"
        )
