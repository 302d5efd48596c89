"""The cast of the plays: who speaks, and the same plays with other names."""

from __future__ import annotations

import random
import re

SPEAKER = re.compile(r"(?:\A|\n\n)([^\n:]+):\n")
STRETCH = 4000
"""Characters, about, in which a name is exchanged for one and the same other."""
SHARE = 0.75
"""How many of the names of a stretch are exchanged."""


class Cast:
    """The proper names in the speech headings of a text: words in capitals that the text never has in small letters.

    A name opens every speech. A model that has learnt by heart who speaks in some plays is sure of it, and wrong, in
    all others; where names change from page to page, it has to look back instead for who is there.
    """

    def __init__(self, text: str) -> None:
        small = set(re.findall(r"\b[a-z]+\b", text))
        headings = {word for speaker in SPEAKER.findall(text) for word in re.findall(r"\b[A-Z]{4,}\b", speaker)}
        self.names: list[str] = sorted(word for word in headings if word.lower() not in small)
        self._anywhere = re.compile(rf"\b(?:{'|'.join(self.names)})\b", re.IGNORECASE) if self.names else None

    def exchanged(self, text: str, chance: random.Random) -> str:
        """The text with most names, wherever they stand, exchanged for invented ones, others in each stretch."""
        return "".join(self._stretch(part, chance) for part in _stretches(text))

    def invented(self, chance: random.Random) -> str:
        """The beginning of one name and the end of another, in capitals."""
        first, second = chance.choice(self.names), chance.choice(self.names)
        return first[: chance.randint(2, max(2, len(first) - 2))] + second[chance.randint(1, max(1, len(second) - 2)) :]

    def _stretch(self, text: str, chance: random.Random) -> str:
        if self._anywhere is None:
            return text
        there = sorted({found.upper() for found in self._anywhere.findall(text)})
        others = {name: self.invented(chance) for name in there if chance.random() < SHARE}

        def other(match: re.Match[str]) -> str:
            found: str = match.group()
            name = others.get(found.upper(), found)
            return name.upper() if found.isupper() else name.capitalize()

        return self._anywhere.sub(other, text) if others else text


def _stretches(text: str) -> list[str]:
    """The text in parts that begin with a speech, each as long as STRETCH or longer but for the last."""
    parts: list[str] = []
    begin = 0
    for match in re.finditer(r"\n\n", text):
        if match.end() - begin >= STRETCH:
            parts.append(text[begin : match.end()])
            begin = match.end()
    return [*parts, text[begin:]]
