"""The leak gate: nothing of an answer, and nothing it printed, in anything that a student gets."""

from __future__ import annotations

import io
import json
import keyword
import re
import tokenize
from collections.abc import Iterator

from nbformat import NotebookNode

from course.building.lesson import Lesson
from course.building.markup import visible
from course.building.percent import Cell
from course.building.problems import Problem

_SHORT = 6  # characters; a shorter line, such as `k = 3`, counts only where it stands as a whole line


def leaks(lesson: Lesson, solution: NotebookNode, artefacts: dict[str, str]) -> list[Problem]:
    """Problems for every line or comment of an answer, or line of its output, found in a student artefact.

    ``artefacts`` are texts by name: notebooks as JSON (searched with metadata and attachments) and pages as
    HTML (searched as the text a reader sees, and as source). Lines that stand in the exercise's own stub, and
    lines of keywords and punctuation only, give nothing away.
    """
    texts = {name: _Haystack(content) for name, content in artefacts.items()}
    problems = []
    for key, answer in lesson.answers.items():
        for line, secret in secrets(answer, lesson.exercises[key]):
            problems += [
                answer.problem(f"`{secret}` of the answer to exercise {key} stands in {name}", line_in_cell=line)
                for name, text in texts.items() if text.shows(secret)
            ]  # fmt: skip
        for printed in _printed(solution, key):
            problems += [
                answer.problem(f"what the answer to exercise {key} prints, {printed!r}, stands in {name}")
                for name, text in texts.items() if text.shows(printed)
            ]  # fmt: skip
    return problems


def secrets(answer: Cell, stub: Cell) -> Iterator[tuple[int, str]]:
    """Each telling line and comment of an answer, with its line number in the cell."""
    harmless = {_squeeze(part) for _, part in _parts(stub.source)}
    for number, part in _parts(answer.source):
        if _squeeze(part) not in harmless and _tells(part):
            yield number, part


def _parts(source: str) -> Iterator[tuple[int, str]]:
    """Code and comment of every line apart, so that each is found on its own."""
    comments = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                comments[token.start[0]] = token
    except tokenize.TokenError:
        pass  # an unfinished bracket in a stub: its lines still count, comments and all
    for number, line in enumerate(source.split("\n"), start=1):
        comment = comments.get(number)
        code = line[: comment.start[1]] if comment else line
        yield from (
            (number, part.strip()) for part in (code, comment.string.lstrip("# ") if comment else "") if part.strip()
        )


def _tells(part: str) -> bool:
    """A line tells something when a name, a number or a text is left beside keywords."""
    words = re.findall(r"\w+", part)
    return any(not keyword.iskeyword(word) for word in words)


def _printed(solution: NotebookNode, key: str) -> list[str]:
    cells = [cell for cell in solution.cells if cell.metadata.get("exercise") == key]
    texts = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in cells for output in cell.outputs
    ]  # fmt: skip
    return [line.strip() for text in texts for line in text.split("\n") if len(_squeeze(line)) >= _SHORT]


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).replace("'", '"')


class _Haystack:
    """One artefact: all text in it, whatever the layers of JSON and HTML around it."""

    def __init__(self, content: str) -> None:
        texts = _strings(json.loads(content)) if content.lstrip().startswith("{") else [content, visible(content)]
        self.text = "\n".join(texts).replace("'", '"')

    def shows(self, secret: str) -> bool:
        """The secret is there, with whatever white space; not as a part of longer words."""
        tokens = re.findall(r"\w+|[^\w\s]", secret.replace("'", '"'))
        first, *rest = map(re.escape, tokens)
        if len("".join(tokens)) < _SHORT:
            pattern = rf"^[\s#]*{first}" + "".join(rf"\s*{token}" for token in rest) + r"[ \t]*(#.*)?$"
        else:  # a pattern that begins with plain text is found much sooner than one that begins with \b
            before = rf"(?<!\w{first})" if tokens[0][0].isalnum() else ""
            after = r"\b" if tokens[-1][-1].isalnum() else ""
            pattern = first + before + "".join(rf"\s*{token}" for token in rest) + after
        return re.search(pattern, self.text, re.MULTILINE) is not None


def _strings(node: object) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in (*_strings(key), *_strings(value))]
    if isinstance(node, list):
        # nbformat keeps a cell's source as a list of lines: read it as one text, too.
        joined = ["".join(node)] if node and all(isinstance(item, str) for item in node) else []
        return joined + [text for item in node for text in _strings(item)]
    return []
