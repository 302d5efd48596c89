"""What the tests of faithfulness share: a model whose rule is known, and an explanation of it."""

from __future__ import annotations

import pytest

import course

TEXT = "the dog and the happy cat passed the river"


@pytest.fixture(scope="module")
def planted():
    return course.load("planted")


@pytest.fixture(scope="module")
def found(planted):
    return course.attribute(planted, TEXT)
