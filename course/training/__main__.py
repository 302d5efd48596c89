"""The command line of `course.training`."""

import sys

from course.training.cli import main

if __name__ == "__main__":
    sys.exit(main())
