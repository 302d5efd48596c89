"""Whatever happens to a source file, it can be read, or its file and line are named: never a traceback."""

from __future__ import annotations

import random

import pytest

from course.building.lesson import read_lesson
from course.building.notebooks import solution, student, to_text, trial
from course.building.problems import LessonError

PIECES = (
    b"\n# %%\n", b"\n# %% [markdown]\n", b"\n# %% [raw]\n", b'\n# %% exercise="1.1"\n', b"\n# %% tags=3\n", b"\n#%%\n",
    b"# ---\n", b'"""', b"'", b"\x00", b"\\", b"\r", b"\x0c", b"\t", b"\xff", b'with exercise("9"):\n    pass\n',
)  # fmt: skip


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A few bytes removed, doubled or put in, or two lines exchanged."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        here, length = dice.randrange(len(changed)), dice.choice((1, 3, 20, 200))
        lines = bytes(changed).split(b"\n")
        one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        match dice.randrange(4):
            case 0:
                del changed[here : here + length]
            case 1:
                changed[here:here] = changed[: dice.randrange(len(changed))][-length:]
            case 2:
                changed[here:here] = dice.choice(PIECES)
            case 3:
                lines[one], lines[other] = lines[other], lines[one]
                changed = bytearray(b"\n".join(lines))
        changed = changed or bytearray(b"\n")
    return bytes(changed)


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_source_is_read_or_its_line_is_named(small_course, seed):
    dice, outcomes = random.Random(seed), {"read": 0, "named": 0}
    sound = {path: path.read_bytes() for path in (small_course.lesson, small_course.solution)}
    for _ in range(250):
        for path, data in sound.items():
            path.write_bytes(data)
        broken = dice.choice(list(sound))
        broken.write_bytes(mutated(sound[broken], dice))
        try:
            lesson = read_lesson(small_course.lesson, small_course.root)
            assert all(to_text(draft(lesson).notebook()) for draft in (student, solution, trial))
            outcomes["read"] += 1
        except LessonError as error:
            outcomes["named"] += 1
            for problem in error.problems:
                path = small_course.root / problem.file
                assert 1 <= problem.line <= path.read_bytes().replace(b"\r", b"\n").count(b"\n") + 2
    assert min(outcomes.values()) > 20
