"""Makes `ast.parse` one for all threads of a process that imports this, where Python itself does not.

Python 3.11 before 3.11.8, and 3.12 before 3.12.2, count the depth of the tree they make in one place for all threads.
Where the garbage collector lets another thread run in the middle, and that one parses, too, a SystemError comes of it
("AST constructor recursion depth mismatch", CPython issue 106905): rarely, and in whatever library happens to parse.
"""

from __future__ import annotations

import ast
import sys
from functools import wraps
from threading import RLock
from typing import Any

_parse = ast.parse
_lock = RLock()


@wraps(_parse)
def _one_at_a_time(*arguments: Any, **options: Any) -> Any:
    with _lock:
        return _parse(*arguments, **options)


if sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2):
    ast.parse = _one_at_a_time
