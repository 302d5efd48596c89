"""Build the course: ``python build.py``; ``python build.py --help`` lists the rest."""

import sys
from pathlib import Path

from course.building.cli import main

if __name__ == "__main__":
    sys.exit(main(root=Path(__file__).resolve().parent))
