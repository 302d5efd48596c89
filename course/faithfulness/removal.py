"""Removal: what a classifier makes of a text without some of its tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from course.attributions.attribution import Attribution
from course.attributions.embedded import rows_at_once, unchanged
from course.models.entries import CLASSIFICATIONS
from course.tokenising import tokenise
from course.tokens import Tokens, shown
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model

WAYS = {"delete": "deleted, later tokens move up", "mask": "replaced by the mask token"}
"""The ways to remove tokens, and what is done."""


class FaithfulnessError(ValueError):
    """This explanation cannot be tested like this; the message says what to change."""


@dataclass(eq=False, repr=False)
class Removal:
    """A text whose tokens, or whole words, can be taken out, and the probability of its label without them.

    ``units`` are the positions of each token or word that can be taken out, in order; special tokens are none and
    stay. ``label`` is the class that the model predicts for the whole text. By "delete" the token numbers of what
    remains are given to the model one after the other, so that later tokens move up (positions are counted anew);
    by "mask" the token becomes the mask token and nothing moves. In both no text is tokenised again: what remains are
    the very tokens of the whole. Neither is an input that the model was trained on, so a part of each change is
    surprise (Hooker et al. 2019, arXiv 1806.10758); compare with random orders.
    """

    model: Model
    tokens: Tokens
    inputs: dict[str, Tensor]
    by: str
    units: tuple[tuple[int, ...], ...]
    batch_size: int
    label: int = 0
    _known: dict[frozenset[int], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, model: Model, attribution: Attribution, by: str | None = None, batch_size: int | None = None
    ) -> Removal:
        """The removal of the tokens (or words) that an explanation is about, by "delete" if left out.

        Of the patches of an image it is a `PatchRemoval`, by "black" if left out.

        Raises FaithfulnessError where the explanation is of another model, of another label than the predicted one,
        or of single characters.
        """
        _check(model, attribution, batch_size)
        if isinstance(attribution.tokens, Patches):
            from course.faithfulness.patch_removal import PatchRemoval

            removal: Removal = PatchRemoval.begun(model, attribution.tokens, by or "black", batch_size)
        else:
            removal = cls._begun(model, attribution, by or "delete", batch_size)
        removal.label = int(removal._scores([frozenset()])[0].argmax())
        if model.labels[removal.label] != attribution.target:
            raise FaithfulnessError(
                f"the explanation is for {attribution.target!r}, but {model.title} predicts "
                f"{model.labels[removal.label]!r}, and its probability is what is tested: explain that, without target="
            )
        return removal

    @classmethod
    def _begun(cls, model: Model, attribution: Attribution, by: str, batch_size: int | None) -> Removal:
        """The removal from a text, its label not known yet."""
        _check_way(model, attribution, by)
        sources = attribution.tokens.sources
        tokens, inputs = tokenise(
            model, sources[0], sources[1] if len(sources) > 1 else None, truncate=attribution.tokens.dropped > 0
        )
        merged = attribution.level == "words"
        if (tokens.merged() if merged else tokens) != attribution.tokens:
            raise FaithfulnessError(f"{model.title} reads other tokens than the explanation has: explain this model")
        groups = tokens.word_groups() if merged else [(i,) for i in range(len(tokens))]
        units = tuple(group for group in groups if not tokens.special[group[0]])
        rows = rows_at_once(model.module, len(tokens)) if batch_size is None else batch_size
        return cls(model, tokens, inputs, by, units, rows)

    @property
    def way(self) -> str:
        """What is done to which parts, in words."""
        return WAYS[self.by]

    def __len__(self) -> int:
        return len(self.units)

    def __repr__(self) -> str:
        return (
            f"{len(self)} tokens or words to take out of {shown(' | '.join(self.tokens.sources))!r}, {self.way}; "
            f"{shown(self.model.labels[self.label])!r} has a probability of {self.probability:.3f} with all of them"
        )

    @property
    def probability(self) -> float:
        """That of the label for the whole text."""
        return self.without([()])[0]

    def without(self, removed: Iterable[Collection[int]]) -> list[float]:
        """The probability of the label without each of these sets of units, 0 to 1.

        What was asked for before is not computed again, so the same set always has the very same number.
        """
        wanted = [frozenset(units) for units in removed]
        for units in wanted:
            if not all(0 <= unit < len(self.units) for unit in units):
                raise FaithfulnessError(f"there are {len(self.units)} units to remove, counted from 0: {sorted(units)}")
        new = [units for units in dict.fromkeys(wanted) if units not in self._known]
        if new:
            found = self._scores(new)[:, self.label].tolist()
            self._known.update(zip(new, found, strict=True))
        return [self._known[units] for units in wanted]

    def comprehensiveness(self, units: Collection[int]) -> float:
        """By how much the probability falls without these units: 0 for none, and the more the better they explain."""
        return self.probability - self.without([units])[0]

    def sufficiency(self, units: Collection[int]) -> float:
        """By how much the probability falls with only these units: 0 for all, and the less the better they explain."""
        return self.probability - self.without([set(range(len(self))) - set(units)])[0]

    def importance(self, attribution: Attribution) -> list[float]:
        """The explanation's value of each unit."""
        return [v for v, special in zip(attribution.values.tolist(), attribution.tokens.special, strict=True)
                if not special]  # fmt: skip

    def _scores(self, removed: Sequence[frozenset[int]]) -> Tensor:
        """The probabilities of all labels, one row for each set; texts of one length are run together, unpadded."""
        rows = [self._row(units) for units in removed]
        by_length: dict[int, list[int]] = {}
        for i, kept in enumerate(rows):
            by_length.setdefault(len(kept), []).append(i)
        found = torch.zeros(len(rows), len(self.model.labels), dtype=torch.float64)
        for alike in by_length.values():
            for start in range(0, len(alike), self.batch_size):
                some = alike[start : start + self.batch_size]
                found[some] = self._run([rows[i] for i in some], [removed[i] for i in some])
        return found

    def _row(self, removed: frozenset[int]) -> list[int]:
        """The positions that remain."""
        gone = {i for unit in removed for i in self.units[unit]} if self.by == "delete" else set()
        return [i for i in range(len(self.tokens)) if i not in gone]

    def _run(self, rows: Sequence[Sequence[int]], removed: Sequence[frozenset[int]]) -> Tensor:
        inputs = {name: torch.stack([tensor[0, list(kept)] for kept in rows]) for name, tensor in self.inputs.items()}
        if self.by == "mask":
            for row, units in zip(inputs["input_ids"], removed, strict=True):
                row[[i for unit in units for i in self.units[unit]]] = self.model.tokenizer.mask_token_id
        return self._probabilities(inputs)

    def _probabilities(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The probabilities of all labels, one row for each of the inputs."""
        with unchanged(self.model.module), torch.no_grad():
            logits = self.model.module(**{k: v.to(self.model.device) for k, v in inputs.items()}).logits.double()
        several = self.model.module.config.problem_type == "multi_label_classification"
        scores: Tensor = (logits.sigmoid() if several else logits.softmax(-1)).cpu()
        if not torch.isfinite(scores).all():
            raise FaithfulnessError(f"{self.model.title} returned scores that are not numbers (NaN or infinity)")
        return scores


def ordered(values: Sequence[float]) -> list[int]:
    """The units from the largest to the smallest value; ties in reading order."""
    return sorted(range(len(values)), key=lambda i: -values[i])


def _check(model: Model, attribution: Attribution, batch_size: int | None) -> None:
    if model.task not in CLASSIFICATIONS or len(model.labels) < 2:
        raise FaithfulnessError(
            f"{model.title} is a {type(model.module).__name__}: faithfulness is tested by the probability of a "
            "predicted label, which takes a classifier with at least two, such as course.load('sentiment')"
        )
    if attribution.model != model.title:
        raise FaithfulnessError(f"the explanation is of {attribution.model}, the model is {model.title}")
    if attribution.level == "characters":
        raise FaithfulnessError("the model reads no single characters: test the explanation of tokens, or .words()")
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise FaithfulnessError(f"batch_size must be a whole number from 1, not {batch_size!r}")


def _check_way(model: Model, attribution: Attribution, by: str) -> None:
    if model.reads_images:
        raise FaithfulnessError(f"{model.title} reads images, and this explains a text: explain an image")
    if by not in WAYS:
        raise FaithfulnessError(f"removal must be one of {', '.join(map(repr, WAYS))}, not {by!r}")
    if by == "mask" and getattr(model.tokenizer, "mask_token_id", None) is None:
        raise FaithfulnessError(f"the tokenizer of {model.title} has no mask token: use removal='delete'")
