"""``python -m stacks.portable OUTDIR``: write the templates, and the README that says how to deploy them."""

from __future__ import annotations

import sys
from pathlib import Path

from stacks.portable.templates import write


def main(arguments: list[str]) -> int:
    """Write to the directory that is named; 2 where none is."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m stacks.portable OUTDIR\n")
        return 2
    for path in write(Path(arguments[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
