import gzip
import json
import re
from base64 import b64decode
from importlib import resources

import pytest

from course.views.page import POLICY, packed, script_json
from tests.views.synthetic import HOSTILE


def test_packing_is_reversible_and_has_no_date():
    data = b"attention" * 100
    assert packed(data) == packed(data)
    assert gzip.decompress(b64decode(packed(data))) == data
    assert b64decode(packed(data))[4:8] == b"\0\0\0\0"


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_json_in_a_script_cannot_end_it(text):
    found = script_json({"text": text, text: 1})
    assert not set(found) & set("<>&\u2028\u2029")
    assert json.loads(found) == {"text": text, text: 1}


def test_policy_lets_nothing_be_fetched():
    assert POLICY.startswith("default-src 'none'")
    assert "http" not in POLICY
    assert "eval" not in POLICY


def own_files():
    folder = resources.files("course.views")
    return [file for file in folder.iterdir() if file.name.endswith((".py", ".js", ".css"))]


@pytest.mark.parametrize("file", own_files(), ids=lambda file: file.name)
def test_own_files_name_no_host(file):
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]", text)


@pytest.mark.parametrize("name", ["frame.js", "frame.css"])
def test_inlined_files_cannot_end_their_element(name):
    text = resources.files("course.views").joinpath(name).read_text(encoding="utf-8")
    assert "</" not in text
    assert "<!--" not in text
