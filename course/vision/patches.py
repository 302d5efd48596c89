"""Patches: the squares of an image that a vision transformer reads, as tokens with the way back to the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.tokens import InputError, Tokens

Place = tuple[int, int]


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """An image as a model reads it: after its own resizing and scaling, and before it is cut into patches.

    ``values`` are the model's pixel values, channels x height x width, float32 on the CPU; ``black`` and ``white`` are
    the values that black and white have, one a channel. ``name`` is that of the file, if there was one; ``notes`` say
    what a reader must know. Two pictures are equal if they look alike, whatever their names.
    """

    values: Tensor
    black: Tensor
    white: Tensor
    name: str
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.values.shape[1])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.values.shape[2])

    @cached_property
    def light(self) -> Tensor:
        """The same from 0, black, to 1, white; channels x height x width."""
        black, white = (ends.view(-1, 1, 1) for ends in (self.black, self.white))
        return ((self.values - black) / (white - black)).clamp(0, 1)

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        """The same to be looked at: height x width x 3."""
        seen = (self.light.expand(3, -1, -1) * 255).round().byte()
        found: NDArray[np.uint8] = np.ascontiguousarray(seen.permute(1, 2, 0).numpy())
        return found

    def valued(self, light: Tensor) -> Tensor:
        """The model's pixel values for ``light`` (0 to 1, channels x height x width)."""
        black, white = (ends.view(-1, 1, 1) for ends in (self.black, self.white))
        return black + (white - black) * light

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and np.array_equal(self.rgb, other.rgb)

    def __hash__(self) -> int:
        return hash(self.rgb.tobytes())

    def __repr__(self) -> str:
        return f"{self.name}, {self.width} × {self.height} pixels"


@dataclass(frozen=True, repr=False)
class Patches(Tokens):
    """The patches of an image as tokens: "r2c5" is in row 2 from the top and column 5 from the left, from 0.

    [CLS] stands before them. ``grid`` is the number of rows and columns. ``words`` numbers the patches in reading
    order; every other field is as in `Tokens`, without a text: there are no offsets.
    """

    picture: Picture = field(kw_only=True)
    grid: tuple[int, int] = field(kw_only=True)

    @classmethod
    def of(cls, picture: Picture, grid: tuple[int, int], special: Sequence[str]) -> Patches:
        """All patches of the picture, after the ``special`` tokens."""
        rows, columns = grid
        names = [f"r{row}c{column}" for row in range(rows) for column in range(columns)]
        texts = (*special, *names)
        return cls(
            texts=texts, pieces=texts, special=(True,) * len(special) + (False,) * len(names),
            segments=(0,) * len(texts), offsets=(None,) * len(texts),
            words=(*[None] * len(special), *range(len(names))), sources=("an image",), picture=picture, grid=grid,
        )  # fmt: skip

    @property
    def line(self) -> str:
        """What they are, for there are too many to name."""
        rows, columns = self.grid
        special = [self.texts[i] for i in self.special_positions]
        return f"{' '.join([*special, ''])}and {rows} × {columns} patches of {self.picture!r}".removeprefix("and ")

    @property
    def places(self) -> tuple[Place | None, ...]:
        """Row and column of each, None for special tokens."""
        return tuple(None if number is None else divmod(number, self.grid[1]) for number in self.words)

    @property
    def brightness(self) -> tuple[float | None, ...]:
        """Mean brightness of each patch, 0 (black) to 1 (white); None for special tokens."""
        means = self.per_patch(self.picture.light.mean(0))
        return tuple(None if place is None else float(means[place]) for place in self.places)

    def per_patch(self, pixels: Tensor) -> Tensor:
        """The mean over each patch, rows x columns, of something that each pixel has (height x width)."""
        found: Tensor = torch.nn.functional.adaptive_avg_pool2d(pixels[None, None].double(), self.grid)[0, 0]
        return found

    def box(self, place: Place) -> tuple[slice, slice]:
        """The pixels of a patch: from top to bottom, and from left to right."""
        high, wide = self.picture.height // self.grid[0], self.picture.width // self.grid[1]
        row, column = place
        return slice(row * high, (row + 1) * high), slice(column * wide, (column + 1) * wide)

    def merged(self) -> Tokens:
        """Refused: patches are no sub-words."""
        raise InputError("the patches of an image are no parts of words, so nothing can be merged: leave out .words()")

    def __repr__(self) -> str:
        return f"Patches({self.line})"
