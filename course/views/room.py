"""How much room a page takes: CSS lengths that depend on the width of the output, ``100cqw``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Page = tuple[str, int, str]
"""A document, its height in CSS pixels on a wide screen, and its height as a CSS length for any width."""

_PADDING = 24  # of the body, both sides together
_WIDTHS = (1280, 960, 861, 760, 620, 500, 420, 360, 320)


def below(width: int, height: int | str) -> str:
    """CSS for ``height`` (pixels, or a length) where the output is narrower than ``width``, and 0 where it is not."""
    length = f"{height}px" if isinstance(height, int) else height
    return f"clamp(0px, ({width}px - 100cqw) * 999, {length})"


def title_height(title: str) -> str:
    """CSS for the height of the title."""
    return _stepwise([title], 0, line=20, letter=8.2)


def legend_height(paragraphs: Sequence[str]) -> str:
    """CSS for the height of the paragraphs over a picture, with the gaps under them."""
    return _stepwise(paragraphs, 4, line=18, letter=6.6)


def lines_of(text: str, width: float, letter: float) -> int:
    """How many lines a text takes in this width, with letters of about this width."""
    return max(1, -(-len(text) // max(1, int(width / letter))))


def stepwise(height: Callable[[int], int]) -> str:
    """CSS for a height that is known, in pixels, for some widths of the output, and not less on narrower ones."""
    heights = [height(width) for width in _WIDTHS]
    steps = [
        below(width, narrower - wider)
        for width, wider, narrower in zip(_WIDTHS, heights, heights[1:], strict=False)
        if narrower > wider
    ]
    return " + ".join([f"{heights[0]}px", *steps])


def _stepwise(paragraphs: Sequence[str], gap: int, *, line: int, letter: float) -> str:
    return stepwise(lambda width: sum(gap + line * lines_of(one, width - _PADDING, letter) for one in paragraphs))
