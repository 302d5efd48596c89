from __future__ import annotations

import subprocess
import sys
import types
from html.parser import HTMLParser
from pathlib import Path

import pytest

import course
from course.models import ModelError, read_catalogue
from course.models.listing import COLUMNS, catalogue, spoken


def test_every_role_and_profile_has_a_row() -> None:
    table = course.catalogue()
    assert [entry.name for entry in table] == [
        entry.name for role in read_catalogue().values() for entry in role.entries
    ]
    assert len(table) == len(repr(table).splitlines()) - 1
    assert repr(table).splitlines()[0].split() == list(COLUMNS)


def test_columns_stand_below_each_other(own) -> None:
    head, base, judge = repr(catalogue(own.path)).splitlines()
    for name in COLUMNS:
        at = head.index(name)
        assert base[at - 1 : at] in (" ", "") and judge[at - 1 : at] in (" ", "")
    assert judge[head.index("size") :].startswith("1 bytes + base")
    assert judge[head.index("stages") :].startswith("trained pretrained random")
    assert judge.endswith("accuracy 0.500 on a coin")


def test_html_is_a_table_and_what_is_written_stays_text(own) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.tags.append(tag)

    tags = Tags()
    tags.feed(catalogue(own.write(licence="<script>alert(1)</script>"))._repr_html_())
    assert set(tags.tags) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert tags.tags.count("tr") == 3


def test_a_frame_has_the_same_columns(own, monkeypatch) -> None:
    class DataFrame:
        def __init__(self, rows: list, columns: list) -> None:
            self.rows, self.columns = rows, columns

        def assign(self, **columns: list) -> DataFrame:
            self.assigned = columns
            return self

    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=DataFrame))
    frame = catalogue(own.path).to_frame()
    assert frame.columns == list(COLUMNS) and len(frame.rows) == 2 and frame.assigned == {"size": [1, 1]}


def test_without_pandas_a_frame_says_what_to_do(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ModelError, match=r"^pandas is not installed; pip install pandas, or iterate over the catalogue$"
    ):
        catalogue().to_frame()


@pytest.mark.parametrize(
    ("size", "said"), [(10, "10 bytes"), (1500, "1.5 kB"), (90868376, "90.9 MB"), (1336377352, "1.3 GB")]
)
def test_sizes_are_for_people(size: int, said: str) -> None:
    assert spoken(size) == said


def test_listing_imports_no_torch_and_the_function_stays_the_function() -> None:
    code = (
        "import sys, course; course.catalogue(); import course.models.catalogue; print(course.catalogue());"
        "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert (
        "minilm"
        in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    )
