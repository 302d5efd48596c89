"""Whether two attentions can be compared weight by weight, and what to do where they cannot."""

from __future__ import annotations

from dataclasses import fields

from course.attention import Attention
from course.tokens import Tokens


class DiffError(ValueError):
    """These two attentions cannot be compared; the message says what differs and what to do."""


def check_comparable(before: Attention, after: Attention) -> None:
    """Raise DiffError unless both are of one kind, have the same layers and heads, and are of the same tokens."""
    for name, att in (("before", before), ("after", after)):
        if not isinstance(att, Attention):
            raise DiffError(
                f"{name} must be an Attention, not {type(att).__name__}: call course.attend(model, text) first, "
                "and give what it returns"
            )
    if before.kind != after.kind:
        raise DiffError(
            f"before is {before.kind} attention and after is {after.kind} attention: compare like with like, such as "
            "the encoder of one with the encoder of the other"
        )
    cross = before.kind == "cross"
    _check_tokens("target tokens" if cross else "tokens", before.queries, after.queries)
    _check_tokens("source tokens" if cross else "tokens", before.keys, after.keys)
    if before.weights.shape != after.weights.shape:
        sizes = [f"{att.layers} layers × {att.heads} heads" for att in (before, after)]
        raise DiffError(
            f"before has {sizes[0]} and after has {sizes[1]}: a head can only be compared with the same head of the "
            "same architecture, such as another stage of one role, course.load(role, stage='pretrained')"
        )


def _check_tokens(name: str, before: Tokens, after: Tokens) -> None:
    if before == after:
        return
    if before.texts != after.texts:
        raise DiffError(
            f"the {name} differ{_first_difference(before.texts, after.texts)}: give both models the same text, "
            "read by the same tokenizer, and use .words() or .without_special() on both or on neither"
        )
    differing = next(
        field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)
    )
    if differing == "sources":
        raise DiffError(f"the {name} are the same but the texts that they come from are not: give both the same text")
    if differing == "picture":
        raise DiffError("these are the attentions to two different images: give both models the same image")
    raise DiffError(f"the {name} look the same, but their {differing} differ: use the same tokenizer for both")


def _first_difference(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    place = next((i for i, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    counts = "" if len(before) == len(after) else f" in number, {len(before)} before and {len(after)} after"
    where = "" if place is None else f" at position {place}, {before[place]!r} before and {after[place]!r} after"
    return f"{counts}{' and' if counts and where else ''}{where}"
