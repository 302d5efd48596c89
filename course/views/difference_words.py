"""A difference in words: the title, the alt text and the summary of its picture."""

from __future__ import annotations

from collections.abc import Sequence

from course.differences.attention_diff import AttentionDiff
from course.movements import HeadChange, Movement
from course.tokens import shown
from course.views.selection import Choice, Part
from course.views.words import block_note, extent, notes, numbers_of

_NAME_LENGTH, _LINE_LENGTH = 90, 96


def difference_title(parts: Sequence[Part], differences: Sequence[AttentionDiff]) -> str:
    """Such as "Change of attention from A to B: 6 layers × 12 heads, 9 tokens"."""
    if len(parts) == 1:
        return f"Change of attention {models_compared(differences[0])}: {extent(parts[0].attention)}"
    sizes = ", ".join(f"{part.name} {part.attention.layers} × {part.attention.heads}" for part in parts)
    return f"Change of attention {models_compared(differences[0])}: {sizes} (layers × heads)"


def title_lines(title: str, choice: Choice) -> list[str]:
    """The title as one line of a picture, or as two where it is long."""
    whole = f"{title}{block_note(choice)}"
    first, to, second = whole.partition(" to ")
    return [whole] if len(whole) <= _LINE_LENGTH or not to else [first, f"to {second}"]


def models_compared(difference: AttentionDiff) -> str:
    """Such as "from A to B"."""
    before, after = (_name(att.model) for att in (difference.before, difference.after))
    return f"of {before}" if before == after else f"from {before} to {after}"


def _name(model: str) -> str:
    """A model's name, longer than other labels may be: its end often is what differs."""
    text = shown(model)
    return text if len(text) <= _NAME_LENGTH else f"{text[: _NAME_LENGTH - 1]}…"


def difference_words(part: Part, difference: AttentionDiff, choice: Choice, heading: str) -> tuple[str, str]:
    """Alt text and summary: the heads that moved most, and the strongest rises and falls of what is shown."""
    heads = heads_shown(part, difference, 5)
    rises, falls = (movements(part, difference, choice, 3, only) for only in ("rises", "falls"))
    said = difference_notes([part], [difference])
    shown_tokens = f"{len(choice.rows)} query tokens to {len(choice.columns)} key tokens{block_note(choice)}"
    alt = (
        f"A grid of {len(part.layers)} layers × {len(part.heads)} heads, each a heat map of the change of attention "
        f"of {shown_tokens}, {models_compared(difference)}. "
    )
    if not rises and not falls:
        return f"{alt}Nothing changed.", "\n".join([heading, "Nothing changed.", *said])
    alt += f"Heads that moved most (total variation): {', '.join(map(str, heads[:3]))}. " + " ".join(
        f"Strongest {name}: {placed(found[0])}." for name, found in (("rise", rises), ("fall", falls)) if found
    )
    lines = [
        heading,
        f"Shown: {numbers_of('layer', part.layers)}, {numbers_of('head', part.heads)}{block_note(choice)}.",
        f"Heads that moved most (total variation, 0 to 1, over all tokens): {', '.join(map(str, heads))}.",
        f"Mean total variation of all {difference.layers * difference.heads} heads: "
        f"{difference.total_variation.mean():.2f}.",
    ]
    for name, found in (("rises", rises), ("falls", falls)):
        lines += [f"Strongest {name} (query → key, weight before to after):"] if found else []
        lines += [f"  {placed(one)}" for one in found]
    return alt, "\n".join([*lines, *said])


def difference_notes(parts: Sequence[Part], differences: Sequence[AttentionDiff]) -> list[str]:
    """What a reader must know to read the picture rightly: as for one attention, and what is another after."""
    found = notes(parts)
    for part, difference in zip(parts, differences, strict=True):
        of = "" if len(parts) == 1 else f" ({part.name})"
        if difference.after.removed is not None:
            found.append(f"That was before{of}; after, special tokens held {difference.after.removed.mean():.0%}.")
        count = int((~difference.compared).sum())
        if count:
            found.append(f"{count} rows have weights on one side at most{of}; total variation leaves them out.")
    return found


def heads_shown(part: Part, difference: AttentionDiff, k: int) -> list[HeadChange]:
    """The ``k`` heads of the part that moved most."""
    found = difference.heads_by_change()
    return [one for one in found if one.layer in part.layers and one.head in part.heads][:k]


def movements(part: Part, difference: AttentionDiff, choice: Choice, k: int, only: str | None = None) -> list[Movement]:
    """The ``k`` largest changes of what is shown, with tokens as a view shows them."""
    found = difference.moved(
        k, layers=part.layers, heads=part.heads, rows=choice.rows, columns=choice.columns, only=only
    )
    return [one._replace(query=part.queries[one.row], key=part.keys[one.column]) for one in found]


def placed(one: Movement) -> str:
    """A movement with its layer and head."""
    return f"layer {one.layer} head {one.head}, {one}"
