"""What a process reads is noted, in the process itself, before anything can be lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from course.building.digests import Digests
from course.building.needs import ABSENT, PACKAGE, Names, read_record, shipped_shapes
from course.building.store import Store


def record_of(tmp_path, code: str, *, install_first: bool = True, before: str = "") -> tuple[str, list[dict]]:
    """What a process that runs this code prints, and what it notes."""
    record = tmp_path / "record"
    install = "from course.building import recording; recording.install()\n"
    program = before + (install if install_first else "") + code
    environment = {**os.environ, "ATTENTION_COURSE_RECORD": str(record), "TMPDIR": str(tmp_path / "t")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout, [json.loads(line) for line in record.read_text().splitlines()]


def reads(tmp_path, code: str, **options):
    _, _ = record_of(tmp_path, code, **options)
    digests = Digests(Store(tmp_path / "store"))
    return read_record(tmp_path / "record", Names(tmp_path), digests, shipped_shapes())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """These tests stand in the folder for temporary files, where nothing counts as read."""
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))


def test_modules_data_and_lists_are_noted_by_name(tmp_path):
    (tmp_path / "words.txt").write_text("one")
    found = reads(
        tmp_path, "import course.ranking, pathlib\nopen('words.txt').read()\nlist(pathlib.Path('.').glob('*.tsv'))"
    )
    assert not found.doubts
    assert {"course/ranking.py", "course/__init__.py", "course/building/recording.py", "./words.txt"} <= set(
        found.needs
    )
    assert "./" in found.needs and "course/views/page.py" not in found.needs
    assert not [name for name in found.needs if name.endswith(".pyc") or "site-packages" in name]


def test_a_file_that_was_looked_for_in_vain_must_stay_away(tmp_path):
    found = reads(tmp_path, "try: open('words.txt')\nexcept OSError: pass")
    assert found.needs["./words.txt"] == ABSENT


def test_what_the_run_wrote_itself_is_no_need(tmp_path):
    found = reads(tmp_path, "open('made.txt', 'w').write('x')\nopen('made.txt').read()")
    assert "./made.txt" not in found.needs and not found.doubts


def test_the_files_of_a_shipped_model_are_needs(tmp_path):
    found = reads(tmp_path, "import course; course.load('planted', device='cpu')")
    assert {"course/models/catalogue.toml", "course/models/weights/planted/model.safetensors"} <= set(found.needs)
    assert not found.doubts


@pytest.mark.parametrize(
    "code", ["import subprocess; subprocess.run(['true'])", "import os; os.system('true')",
             "import socket\ntry: socket.create_connection(('127.0.0.1', 1), 0.1)\nexcept OSError: pass"]
)  # fmt: skip
def test_what_hides_its_reads_is_a_doubt(tmp_path, code):
    assert "hides what it reads" in reads(tmp_path, code).doubts[0]


def test_a_file_that_changes_while_it_is_read_is_a_doubt(tmp_path):
    (tmp_path / "words.txt").write_text("one")
    found = reads(tmp_path, "open('words.txt').read()\nimport pathlib; pathlib.Path('words.txt').write_text('two!')")
    assert found.doubts == ("./words.txt changed while it ran",)


def test_no_record_is_a_doubt(tmp_path):
    digests = Digests(Store(tmp_path / "store"))
    assert read_record(tmp_path / "none", Names(tmp_path), digests, {}).doubts
    (tmp_path / "half").write_text('{"read": "/x", "stat": null}\n{"early": fal')
    assert read_record(tmp_path / "half", Names(tmp_path), digests, {}).doubts


def test_a_process_that_had_imported_the_course_before_needs_all_its_data(tmp_path):
    found = reads(tmp_path, "", before="import course.ranking\n")
    assert {"course/ranking.py", "course/models/catalogue.toml", "course/views/frame.css"} <= set(found.needs)
    assert "course/building/page.css" not in found.needs and "course/views/page.py" not in found.needs


def test_a_forked_process_needs_what_its_parent_read_after_install(tmp_path):
    code = "import os, course.ranking, course.building.recording as r\nos.environ['ATTENTION_COURSE_RECORD'] += '2'\n"
    code += "if os.fork() == 0:\n    r.install()\n    os._exit(0)\nos.wait()"
    record_of(tmp_path, code)
    digests = Digests(Store(tmp_path / "store"))
    found = read_record(tmp_path / "record2", Names(tmp_path), digests, shipped_shapes())
    assert "course/ranking.py" in found.needs and "course/models/catalogue.toml" not in found.needs


def test_nothing_is_printed_and_errors_of_the_notebook_stay_its_own(tmp_path):
    said, lines = record_of(tmp_path, "try: open('\\0')\nexcept ValueError as error: print(error)\nos = 1")
    assert said == "embedded null byte\n" and lines


def test_names_lead_back_to_their_paths(tmp_path):
    names = Names(tmp_path)
    for path in (PACKAGE / "ranking.py", tmp_path / "a" / "b.txt", "/etc/hosts"):
        assert names.path(names.of(str(path))) == str(path)
    assert names.of(str(PACKAGE / "ranking.py")) == "course/ranking.py"
