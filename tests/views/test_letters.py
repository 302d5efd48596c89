from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from course.views.letters import ascent, drawable, fitting, run, width_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat", "cat"),
        ("übermäßig", "übermäßig"),
        ("$x_1^2$", "$x_1^2$"),
        ("🦜", "U+1F99C"),
        ("a🦜b", "a U+1F99C b"),
        ("你好", "U+4F60 U+597D"),
        ("你好世界", "U+4F60 U+597D…"),
        ("❤\ufe0f", "❤"),
        ("\u200d", "␣"),
    ],
)
def test_what_the_font_lacks_becomes_code_points(text, expected):
    assert drawable(text) == expected
    assert drawable(drawable(text)) == expected


def test_long_text_is_cut_to_its_room():
    cut = fitting("antidisestablishmentarianism" * 3, 100, 13, False)
    assert cut.endswith("…")
    assert 80 < width_of(cut, 13, False) <= 100
    assert fitting("cat", 100, 13, False) == "cat"


def test_letters_stand_on_the_base_line():
    straight, hanging = run("l", 13, False), run("p", 13, False)
    for one, below in ((straight, False), (hanging, True)):
        assert one.coverage[: one.base].max() == 255
        assert bool(one.coverage[one.base :].max()) == below
    assert round(ascent(13, False) * 1.5) == (straight.coverage.max(1) > 0).sum()


def test_bold_is_darker_and_size_counts():
    plain, bold, large = run("mat", 13, False), run("mat", 13, True), run("mat", 26, False)
    assert bold.coverage.sum() > 1.2 * plain.coverage.sum()
    assert 1.9 < large.width / plain.width < 2.1


def test_threads_do_not_write_into_each_others_text():
    words = [f"word{i}" * (1 + i % 5) for i in range(200)]
    alone = [run(word, 12, False).coverage.copy() for word in words]
    run.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda word: run(word, 12, False).coverage, words))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))
