"""Refuses an environment from which a command could reach a real AWS account.

The demo starts the CDK CLI, boto3 and a training script. Each of them follows environment variables, and each goes
to the real AWS when AWS_ENDPOINT_URL is absent, overridden for one service, or told to be ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from headrace.errors import InvalidInput

_LOOPBACK = "127.0.0.1"
_ENDPOINT = "AWS_ENDPOINT_URL"
# what a demo's programs need of the shell: where programs, the home folder and temporary files are, and the language
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TERM", "COLUMNS", "NO_COLOR", "VIRTUAL_ENV", "SSL_CERT_FILE")
_KEPT_PREFIXES = ("HEADRACE_", "JSII_", "npm_", "NODE_", "CDK_")


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
    if _ENDPOINT not in environment:
        yield f'{_ENDPOINT} is not set, so commands would go to the real AWS; fix: eval "$(headrace local env)"'
    for name, value in sorted(environment.items()):
        if (name == _ENDPOINT or name.startswith(f"{_ENDPOINT}_")) and urlsplit(value).hostname != _LOOPBACK:
            yield f"{name} is {value!r}; allowed: an address on {_LOOPBACK}; fix: unset {name}"
        elif name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
            yield f"{name} is set and names real credentials; fix: unset {name}"
        elif name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" and value.lower() == "true":
            yield f"{name} is true, so {_ENDPOINT} would be ignored; fix: unset {name}"
        elif name.lower() in ("http_proxy", "https_proxy", "all_proxy") and value:
            yield f"{name} is set, so requests would leave this machine; fix: unset {name}"
