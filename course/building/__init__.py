"""Lesson sources to notebooks, executed, checked and published; ``build.py`` is its command line."""
