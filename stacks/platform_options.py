"""Where the platform of an environment of cdk.json is, as options of ``headrace in-use``, for the Makefile.

The stacks go where the settings say, whatever the shell is set to: who looks whether they are in use has to look there.
Run: ``python -m stacks.platform_options ENV``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.errors import InvalidInput
from headrace.json_file import read_object

from stacks.names import illegal_names
from stacks.settings import settings_of

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def environments(cdk_json: Path) -> object:
    """The context value ``headrace`` of a cdk.json, None without one. Raises InvalidInput for a file that is broken."""
    context = read_object(cdk_json, "the settings of CDK", "restore it").get("context")
    return context.get("headrace") if isinstance(context, dict) else None


def platform_options(environment: str, cdk_json: Path = CDK_JSON) -> list[str]:
    """``--platform NAME``, with ``--region`` and ``--account`` where they are set; no word needs quotes.

    Raises InvalidInput for settings that cannot be read, or hold a name that is none.
    """
    settings = settings_of(environments(cdk_json), environment)
    if illegal := list(illegal_names(settings, environment)):
        raise InvalidInput(*illegal)
    given = {
        "--platform": settings.platform or environment,
        "--region": settings.region,
        "--account": settings.account,
    }
    return [word for option, value in given.items() if value is not None for word in (option, value)]


def main(arguments: Sequence[str]) -> int:
    """Print the options on one line; 2 with one line on stderr for each mistake."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m stacks.platform_options ENV\n")
        return 2
    try:
        sys.stdout.write(f"{' '.join(platform_options(arguments[0]))}\n")
    except InvalidInput as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.problems))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
