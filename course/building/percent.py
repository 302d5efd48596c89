"""Percent scripts: read with jupytext, each cell with the line where it stands in the file."""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from dataclasses import dataclass, field
from typing import Any

from course.building.problems import LessonError, Problem

KNOWN_METADATA = ("advice", "exercise", "name", "open", "profile", "tags", "title", "wrong")
_LIKE_A_MARKER = re.compile(r"\s*#\s*%%")  # jupytext would split here, too
_JUPYTEXT = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker")  # what jupytext notes for itself


@dataclass(frozen=True)
class Cell:
    """One cell: its kind ("code", "markdown" or "raw"), source, metadata, file and first line."""

    kind: str
    source: str
    file: str
    line: int
    metadata: dict[str, Any] = field(default_factory=dict)

    def problem(self, message: str, *, line_in_cell: int = 1) -> Problem:
        """A problem at a line of this cell, counted from 1."""
        return Problem(self.file, self.line + line_in_cell - 1, message)

    def text(self, key: str) -> str | None:
        """A metadata value that must be text, such as ``exercise="2.1"``."""
        value = self.metadata.get(key)
        if value is not None and not isinstance(value, str):
            raise LessonError(self.problem(f'{key} must be quoted text, {key}="{value}", not {value!r}'))
        return value


@dataclass(frozen=True)
class Script:
    """A percent script: its YAML header (None where it has none), its cells, and the lines of the header's lists."""

    file: str
    header: dict[str, Any] | None
    cells: tuple[Cell, ...]
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)


def parse_script(data: bytes, file: str) -> Script:
    """Read the bytes of a percent script; ``file`` is the name used in messages.

    Raises LessonError where it is not UTF-8, not Python, has an invalid YAML header, text before the first
    cell, or cell metadata that means nothing here.
    """
    import jupytext

    text = _decode(data, file)
    header, body_line = _header(text, file)
    _compile(text, file)
    while text.split("\n")[body_line - 1 : body_line] == [""]:  # jupytext would make a cell of leading blank lines
        body_line += 1
    body = "\n".join(text.split("\n")[body_line - 1 :])
    starts = _markers(body, file, body_line)
    before = body.split("\n")[: starts[0] - 1] if starts else body.split("\n")
    stray = next((i for i, line in enumerate(before) if line.strip()), None)
    if stray is not None:
        raise LessonError(Problem(file, body_line + stray, "this stands before the first cell: put `# %%` above it"))
    lines = body.split("\n")
    try:
        notebook = jupytext.reads(body, fmt="py:percent")
    except Exception as error:  # its parser of options, and nbformat's validation, raise many kinds, and say nowhere
        for start in starts:
            marker, line = lines[start - 1], body_line + start - 1
            if what := _why_unreadable(marker):
                message = f"the options in this line cannot be read ({what}): {marker}"
                raise LessonError(Problem(file, line, message)) from None
        raise LessonError(Problem(file, body_line, f"jupytext cannot read this file ({_first_line(error)})")) from None
    if len(notebook.cells) != len(starts):
        raise LessonError(
            Problem(
                file,
                body_line,
                f"{len(starts)} cell markers but {len(notebook.cells)} cells: check the `# %%` lines",
            )
        )
    cells = []
    for start, cell in zip(starts, notebook.cells, strict=True):
        first = next((i for i in range(start, len(lines)) if lines[i].strip()), start)
        metadata = {key: value for key, value in cell.metadata.items() if key not in _JUPYTEXT}
        cells.append(Cell(cell.cell_type, cell.source, file, body_line + first, metadata))
        _check_metadata(cells[-1], body_line + start - 1)
        _check_alone(cells[-1])
    return Script(file, header, tuple(cells), _item_lines(text) if header else {})


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(
            Problem(file, line, f"this file is not UTF-8 (byte 0x{data[error.start]:02x}): save it as UTF-8")
        ) from None


def _header(text: str, file: str) -> tuple[dict[str, Any] | None, int]:
    import yaml

    lines = text.split("\n")
    if lines[0].rstrip() != "# ---":
        return None, 1
    end = next((i for i in range(1, len(lines)) if lines[i].rstrip() == "# ---"), None)
    if end is None:
        raise LessonError(Problem(file, 1, "the YAML header is not closed: end it with a line `# ---`"))
    for i, line in enumerate(lines[1:end], start=2):
        if line.rstrip() != "#" and not line.startswith("# "):
            raise LessonError(Problem(file, i, "every line of the YAML header begins with `# `"))
    try:
        header = yaml.safe_load("\n".join(line[2:] for line in lines[1:end]))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it cannot be read"
        at = 2 + int(mark.line) if mark else 1
        raise LessonError(Problem(file, at, f"the YAML header is invalid: {what}")) from None
    if not isinstance(header, dict):
        raise LessonError(Problem(file, 1, "the YAML header must be a list of `key: value` lines"))
    return header, end + 2


def _item_lines(text: str) -> dict[str, tuple[int, ...]]:
    """In which line of the file each item of each list in a valid header begins."""
    import yaml

    lines = text.split("\n")
    end = next(i for i in range(1, len(lines)) if lines[i].rstrip() == "# ---")
    node = yaml.compose("\n".join(line[2:] for line in lines[1:end]), Loader=yaml.SafeLoader)
    fields = node.value if isinstance(node, yaml.MappingNode) else []
    return {
        key.value: tuple(item.start_mark.line + 2 for item in value.value)
        for key, value in fields if isinstance(value, yaml.SequenceNode)
    }  # fmt: skip


def _compile(text: str, file: str) -> None:
    try:
        compile(text, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise LessonError(Problem(file, error.lineno or 1, f"this is not valid Python: {error.msg}")) from None
    except ValueError as error:  # a null byte
        line = text[: max(text.find("\0"), 0)].count("\n") + 1
        raise LessonError(Problem(file, line, f"this is not valid Python: {error}")) from None


def _markers(body: str, file: str, body_line: int) -> list[int]:
    """Lines (from 1) of the cell markers: comments only, so a marker inside a string starts no cell."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        if token.type != tokenize.COMMENT or not _LIKE_A_MARKER.match(token.line):
            continue
        if not token.line.startswith("# %%") or not (token.line + " ")[4].isspace():
            line = body_line + token.start[0] - 1
            raise LessonError(Problem(file, line, "a cell begins with `# %%` at the very beginning of its line"))
        found.append(token.start[0])
    return found


def _why_unreadable(marker: str) -> str | None:
    """What jupytext says of a cell's options, if it cannot read them."""
    import jupytext

    try:
        jupytext.reads(f"{marker}\n1\n", fmt="py:percent")
    except Exception as error:
        return _first_line(error)
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


def _check_alone(cell: Cell) -> None:
    """A file can be valid Python and its cells not: a marker may cut a statement in two."""
    if cell.kind != "code":
        return
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        at = error.lineno or 1
        raise LessonError(
            cell.problem(f"this cell is no valid Python by itself: {error.msg}", line_in_cell=at)
        ) from None


def _check_metadata(cell: Cell, line: int) -> None:
    for key in cell.metadata:
        if key not in KNOWN_METADATA:
            close = difflib.get_close_matches(key, KNOWN_METADATA, n=1)
            meant = f"did you mean {close[0]}?" if close else f"known are {', '.join(KNOWN_METADATA)}"
            raise LessonError(Problem(cell.file, line, f"{key!r} means nothing in a cell's first line: {meant}"))
