"""Heats: what the patches of an image have, as maps that can be laid over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from torch import Tensor

from course.attention import Attention, check_index
from course.attributions.attribution import METHODS, Attribution
from course.movements import signed
from course.views.attribution_words import account, explained
from course.views.selection import label
from course.views.view import ViewError
from course.vision.patches import Patches

MEAN = "mean over heads"


class Spot(NamedTuple):
    """One patch: its name, its value, and whether that raises or lowers what is explained."""

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class Heat:
    """One map: a value for each patch in reading order, what it is (``group``, and ``name`` where a group has several).

    ``special`` are the values of special tokens, which are nowhere in the image. ``notes`` say what the values are.
    """

    group: str
    name: str
    patches: Patches
    values: tuple[float, ...]
    special: tuple[Spot, ...]
    signed: bool
    notes: tuple[str, ...]

    @property
    def scale(self) -> float:
        """The value of the full colour."""
        return max(1e-6, *(abs(value) for value in self.values))

    @property
    def shares(self) -> list[float]:
        """Each value as a share of the scale, -1 to 1."""
        return [value / self.scale for value in self.values]

    @property
    def texts(self) -> list[str]:
        """The names of the patches."""
        return [text for text, special in zip(self.patches.texts, self.patches.special, strict=True) if not special]

    def number(self, value: float) -> str:
        """A value as it is printed; with its sign, where values have one."""
        digits = max(3, 2 - math.floor(math.log10(self.scale)))
        return signed(value, digits) if self.signed else f"{value:.{digits}f}"

    @property
    def ticks(self) -> tuple[str, str]:
        """The numbers at the ends of the scale."""
        return self.number(-self.scale) if self.signed else "0", self.number(self.scale)

    @property
    def title(self) -> str:
        """Both parts of its name."""
        return f"{self.group}, {self.name}" if self.name else self.group

    def strongest(self, k: int, sign: int) -> list[Spot]:
        """The ``k`` largest values above 0 (``sign`` 1) or below (-1), ties in reading order."""
        spots = [Spot(*one) for one in zip(self.texts, self.values, strict=True) if sign * one[1] > self.scale / 1000]
        return sorted(spots, key=lambda spot: -sign * spot.value)[:k]

    def quarters(self) -> list[float]:
        """The share of the upper left, upper right, lower left and lower right of all sizes of values, 0 to 1."""
        rows, columns = self.patches.grid
        sizes = np.abs(np.array(self.values)).reshape(rows, columns)
        halves = np.array_split(sizes, [rows // 2])
        found = [float(part.sum()) for half in halves for part in np.array_split(half, [columns // 2], axis=1)]
        return [part / (sum(found) or 1.0) for part in found]


def heats_of(records: Sequence[object], query: str | None) -> list[Heat]:
    """The maps of all records, in order; of an attention, what ``query`` looks at, by layer and head.

    Raises ViewError where a record is not of an image, or two are of different images.
    """
    heats: list[Heat] = []
    for record in records:
        if not isinstance(record, (Attribution, Attention)):
            raise ViewError(
                f"image_view draws what course.attribute or course.attend gives for an image, or a list of these, "
                f"not {type(record).__name__}"
            )
        tokens = record.tokens
        if not isinstance(tokens, Patches):
            other = "attribution_view" if isinstance(record, Attribution) else "head_view"
            raise ViewError(f"this is of a text: course.{other} draws it, and image_view what is of an image")
        if heats and (tokens.picture != heats[0].patches.picture or tokens.grid != heats[0].patches.grid):
            raise ViewError("these records are of different images, or of other patches: draw them one at a time")
        heats += (
            [_of_attribution(record, tokens, records)]
            if isinstance(record, Attribution)
            else _of_attention(record, query)
        )
    if not heats:
        raise ViewError("there is no record to draw: give what course.attribute or course.attend returns")
    return _distinct(heats)


def _of_attribution(record: Attribution, tokens: Patches, alike: Sequence[object]) -> Heat:
    """The map of an attribution; where the records differ in target or baseline, its name says which."""
    others = [one for one in alike if isinstance(one, Attribution)]
    method = METHODS[record.method]
    name = f"{method[0].upper()}{method[1:]}"
    if len({one.target for one in others}) > 1:
        name += f" for “{label(record.target)}”"
    if len({one.baseline for one in others if one.method == record.method}) > 1:
        name += f", from {label(record.baseline)}"
    return _heat(name, "", tokens, record.values, record.signed, (explained(record), *account(record)))


def _of_attention(att: Attention, query: str | None) -> list[Heat]:
    tokens = att.tokens
    assert isinstance(tokens, Patches)
    asked = tokens.texts[0] if query is None and tokens.special[0] else query
    row = tokens.texts.index(asked) if asked in tokens.texts else -1
    if asked is None or row < 0:
        known = f"{tokens.texts[0]} … {tokens.texts[-1]}"
        raise ViewError(f"query must be one of the tokens, {known}, not {asked!r}: whose attention is to be drawn?")
    kind = "Rollout" if att.heads == 1 and att.model.startswith("rollout of ") else "Layer"
    removed = "" if att.removed is None else "; special tokens are left out, and the rest made to sum to 1"
    heats = []
    for layer in range(att.layers):
        group = f"Rollout, layers 0 to {layer}" if kind == "Rollout" else f"Layer {layer}"
        weights = att.weights[layer, :, row].double()
        rows = [(MEAN, weights.mean(0)), *((f"head {i}", one) for i, one in enumerate(weights))]
        for name, values in rows[1:] if att.heads == 1 else rows:
            what = f"from {asked} back to the patches" if kind == "Rollout" else f"of {asked}"
            name = "" if att.heads == 1 else name
            said = f"{group}, {name}" if name else group
            note = f"{said}: weights {what}, which sum to {float(values.sum()):.3f} with special tokens{removed}."
            heats.append(_heat(group, name, tokens, values, False, (note,)))
    return heats


def _heat(group: str, name: str, tokens: Patches, values: Tensor, signed: bool, notes: tuple[str, ...]) -> Heat:
    pairs = list(zip(tokens.texts, values.tolist(), tokens.special, strict=True))
    special = tuple(Spot(text, value) for text, value, is_special in pairs if is_special)
    ordinary = tuple(value for _, value, is_special in pairs if not is_special)
    if len(ordinary) != tokens.grid[0] * tokens.grid[1]:
        raise ViewError("some patches of this image are missing: draw the record before patches were selected")
    return Heat(group, name, tokens, ordinary, special, signed, notes)


def _distinct(heats: list[Heat]) -> list[Heat]:
    """With numbers behind the names of those that are still called alike."""
    titles = [heat.title for heat in heats]
    return [
        replace(heat, group=f"{heat.group} ({titles[:i].count(heat.title) + 1})")
        if titles.count(heat.title) > 1
        else heat
        for i, heat in enumerate(heats)
    ]


def first_of(heats: Sequence[Heat], records: Sequence[object], layer: int | None, head: int | None) -> int:
    """Which map is seen first: the first attribution, or of an attention the layer and head asked for.

    Without them it is the last layer, and the mean over heads.
    """
    att = next((record for record in records if isinstance(record, Attention)), None)
    if att is None or (layer is None and head is None and not isinstance(records[0], Attention)):
        if layer is not None or head is not None:
            raise ViewError("layer and head choose a map of an attention, and none is given")
        return 0
    chosen = att.layers - 1 if layer is None else layer
    check_index("layer", chosen, att.layers)
    if head is not None:
        check_index("head", head, att.heads)
    before = next(i for i, heat in enumerate(heats) if heat.notes[0].startswith(("Layer", "Rollout")))
    each = 1 if att.heads == 1 else att.heads + 1
    return before + each * chosen + (0 if head is None or att.heads == 1 else 1 + head)


def heading(heats: Sequence[Heat], records: Sequence[object]) -> str:
    """The title: what is drawn, of which model."""
    first = records[0]
    rows, columns = heats[0].patches.grid
    model = label(first.model) if isinstance(first, (Attribution, Attention)) else ""
    if len(records) > 1:
        what = f"{len(records)} heat maps of an image" if len(heats) == len(records) else "Heat maps of an image"
    elif isinstance(first, Attribution):
        what = heats[0].group + (f" for “{label(first.target)}”" if first.signed else "")
    else:
        what = "Attention over an image"
    return f"{what}: {model}, {rows} × {columns} patches"
