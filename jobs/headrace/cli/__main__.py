"""``python -m headrace.cli``: the command line where the script ``headrace`` is not on PATH."""

from headrace.cli import main

main()
