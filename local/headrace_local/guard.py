"""Refuses an environment from which a command could reach a real AWS account.

The demo starts the CDK CLI, boto3 and a training script. Each of them follows environment variables, and each goes
to the real AWS when AWS_ENDPOINT_URL is absent, overridden for one service, or told to be ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from headrace.errors import InvalidInput

from headrace_local.environment import ENDPOINT, PROXIES

_LOOPBACK = "127.0.0.1"
# What programs need of the shell: where programs, the home folder and temporary files are, the language, and how long
# things take. Not CDK_*, which the CDK CLI takes for options (CDK_PROXY), nor NODE_OPTIONS.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TERM", "COLUMNS", "NO_COLOR", "CDK_VALIDATION")
_KEPT_PREFIXES = ("HEADRACE_LOCAL_", "JSII_SILENCE_")


def close_this_process(client: Mapping[str, str]) -> dict[str, str]:
    """Leave this process, and what it starts, the closed environment and nothing else; the environment.

    Raises InvalidInput when it could still reach a real account.
    """
    environment = closed_environment(client)
    os.environ.clear()
    os.environ.update(environment)
    return environment


def closed_environment(client: Mapping[str, str]) -> dict[str, str]:
    """What a command of the demo may see: the little it needs of this shell, and the embedded AWS's variables.

    Raises InvalidInput when it could still reach a real account.
    """
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    environment = {**kept, **client}
    require_closed(environment)
    return environment


def require_closed(environment: Mapping[str, str]) -> None:
    """Raise InvalidInput, with every reason, when a command in this environment could reach a real account."""
    problems = tuple(_openings(environment))
    if problems:
        raise InvalidInput(*problems)


def _openings(environment: Mapping[str, str]) -> Iterator[str]:
    if ENDPOINT not in environment:
        yield f'{ENDPOINT} is not set, so commands would go to the real AWS; fix: eval "$(headrace local env)"'
    for name, value in sorted(environment.items()):
        if (name == ENDPOINT or name.startswith(f"{ENDPOINT}_")) and urlsplit(value).hostname != _LOOPBACK:
            yield f"{name} is {value!r}; allowed: an address on {_LOOPBACK}; fix: unset {name}"
        elif name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            yield f"{name} is set and names real credentials; fix: unset {name}"
        elif name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" and value.lower() == "true":
            yield f"{name} is true, so {ENDPOINT} would be ignored; fix: unset {name}"
        elif name in (*PROXIES, "CDK_PROXY") and value:
            yield f"{name} is set, so requests would leave this machine; fix: unset {name}"
