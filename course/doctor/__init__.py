"""Is this machine ready for class? `examine` looks, ``python -m course doctor`` tells.

Nothing here needs a newer Python than 3.9 to be read, so that an old one is a finding and not a syntax error.
"""

from __future__ import annotations

from course.doctor.examining import examine
from course.doctor.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "examine"]
