"""The environment in which clients talk to the embedded AWS, and cannot talk to a real account by mistake."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""What must not be set: each of these would lead a client elsewhere."""
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
ENDPOINT = "AWS_ENDPOINT_URL"


def leads_elsewhere(name: str) -> bool:
    """Whether a variable of this name takes a client past the endpoint: profiles, proxies, one service's endpoint."""
    return name in UNSET or name in PROXIES or name.startswith(f"{ENDPOINT}_")


def client_environment(*, endpoint_url: str, account: str, region: str) -> dict[str, str]:
    """Variables for boto3, the AWS CLI and the CDK CLI. The credentials are invented and open nothing."""
    return {
        ENDPOINT: endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # the CDK CLI remembers which account a key belongs to: another account needs another key
        "AWS_ACCESS_KEY_ID": f"HEADRACELOCAL{account}",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def shell_exports(environment: Mapping[str, str], shell: Mapping[str, str]) -> str:
    """The same as lines for ``eval "$(…)"`` in a POSIX shell, whose own variables are ``shell``."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    others = sorted(name for name in shell if leads_elsewhere(name) and name not in UNSET)
    return "\n".join([*exports, f"unset {' '.join((*UNSET, *others))}"])
