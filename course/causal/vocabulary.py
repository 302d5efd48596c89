"""Vocabulary: the tokens that a model can predict, by number and as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from course.causal.parts import LensError
from course.tokens import shown


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens for which a model has logits, numbered from 0 to ``size`` - 1, as ``tokenizer`` writes them."""

    tokenizer: Any
    size: int
    model: str

    def __repr__(self) -> str:
        return f"Vocabulary of {shown(self.model)}: {self.size:,} tokens"

    def text(self, number: int) -> str:
        """The token as it is written, such as "␣king": a space is shown as ␣, other invisible characters as escapes.

        Half of a character, as byte-level models have it, is shown by its bytes, as in "⟨F0 9F⟩".
        """
        written = self.written(number)
        return written if written.startswith("⟨") else shown(written).replace(" ", "␣") or "⟨nothing⟩"

    def written(self, number: int) -> str:
        """The token's own characters, spaces and all; bytes of half a character, or a number without token, in ⟨⟩."""
        piece = self.tokenizer.convert_ids_to_tokens(number) if number < self.size else None
        if piece is None:  # some models have more rows than their tokenizer has tokens
            return f"⟨{number}⟩"
        text: str = self.tokenizer.decode([number], clean_up_tokenization_spaces=False)
        if "\ufffd" in text:
            values = [_bytes().get(character) for character in piece]
            known = [value for value in values if value is not None]
            return f"⟨{bytes(known).hex(' ').upper()}⟩" if len(known) == len(values) else text
        # SentencePiece leaves out the space of a first token, which decode() sees here.
        return f" {text.lstrip(' ')}" if piece.startswith("▁") else text

    def number(self, word: str | int) -> int:
        """The number of the one token that is written ``word``; a number is checked and returned.

        A space counts: in byte-level models " king" and "king" are two tokens. Raises LensError where ``word`` is
        several tokens, saying which, or none.
        """
        if isinstance(word, int) and not isinstance(word, bool):
            if 0 <= word < self.size:
                return word
            raise LensError(f"{self.model} has tokens 0 to {self.size - 1}, not {word}")
        if not isinstance(word, str) or not word:
            raise LensError(f"a token is a text such as ' king', or its number, not {word!r}")
        numbers = self._cut(word)
        if len(numbers) == 1 and numbers[0] != self.tokenizer.unk_token_id:
            return numbers[0]
        as_piece = self.tokenizer.get_vocab().get(word)  # such as "<s>" or "Ġking"
        if as_piece is not None:
            return int(as_piece)
        if len(numbers) <= 1:
            raise LensError(f"{self.model} has no token for {word!r}")
        raise LensError(
            f"{word!r} is not one token of {self.model}, it is cut into {len(numbers)}: "
            f"{', '.join(f'{self.text(i)!r} ({i})' for i in numbers)}. Watch one of these, by its text or number"
            f"{self._spaced(word)}"
        )

    def _cut(self, word: str) -> list[int]:
        found: list[int] = self.tokenizer(word, add_special_tokens=False, verbose=False)["input_ids"]
        return found

    def _spaced(self, word: str) -> str:
        other = word[1:] if word.startswith(" ") else f" {word}"
        return f"; {other!r} is a single token" if other and len(self._cut(other)) == 1 else ""


@cache
def _bytes() -> dict[str, int]:
    """The characters that stand for bytes in byte-level BPE (as in GPT-2): printable ones for themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    return {chr(value): value for value in printable} | {chr(256 + i): value for i, value in enumerate(others)}
