"""What `modules_for` names is what loading imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from course.models.imports import modules_for

CHECK = """
import sys
from course.building.importing import _resolve
from course.models.imports import modules_for
for name in modules_for([{role!r}]):
    _resolve(name)
import course
course.load
before = set(sys.modules)
course.load({role!r}, device="cpu")
print(sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("role", ["minilm", "sentiment", "translate-en-de", "digits"])
def test_loading_imports_hardly_anything_more(role):
    done = subprocess.run([sys.executable, "-c", CHECK.format(role=role)], capture_output=True, text=True, check=True)
    late = eval(done.stdout)
    assert len(late) <= 5, late  # a tokenizer is named in the files of its model, and takes milliseconds


def test_unknown_roles_and_missing_profiles_need_nothing():
    assert modules_for(["no such role"]) == () and modules_for(["planted"], "hub") == ()


def test_the_table_of_renamed_weights_is_made_ahead():
    code = (
        "from transformers import conversion_mapping as table\n"
        "assert table._checkpoint_conversion_mapping_cache is None\n"
        "import course.models.renamings\n"
        "assert table._checkpoint_conversion_mapping_cache\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "course.models.renamings" in modules_for(["minilm"])
