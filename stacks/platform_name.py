"""The platform's name of an environment of cdk.json, for the Makefile: the app itself reads it as ``app.py`` does.

Run: ``python -m stacks.platform_name ENV``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.errors import InvalidInput

from stacks.settings import settings_of

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def platform_name(environment: str, cdk_json: Path = CDK_JSON) -> str:
    """The name that jobs know the platform by. Raises InvalidInput for settings that cannot be read."""
    context = json.loads(cdk_json.read_text(encoding="utf-8"))["context"]
    return settings_of(context.get("headrace"), environment).platform or environment


def main(arguments: Sequence[str]) -> int:
    """Print the name; 2 with one line on stderr for each mistake."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m stacks.platform_name ENV\n")
        return 2
    try:
        sys.stdout.write(f"{platform_name(arguments[0])}\n")
    except InvalidInput as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.problems))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
