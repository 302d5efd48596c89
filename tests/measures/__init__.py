"""Tests of course.measures."""
