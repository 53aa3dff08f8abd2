"""The CDK app, and the only reader of context and environment: which environment, in which account and Region.

`cdk synth -c env=dev` chooses one of the environments below ``headrace`` in cdk.json.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App
from headrace.errors import InvalidInput

from stacks.composition import Target, compose
from stacks.settings import settings_of

DEFAULT_ENVIRONMENT = "dev"


def main() -> int:
    """Synthesise the chosen environment. 0, or 2 with one line on stderr for each mistake in the settings."""
    app = App(context=_context_without_cli())
    environment = app.node.try_get_context("env") or DEFAULT_ENVIRONMENT
    try:
        target = Target(
            environment=environment,
            default_account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
            default_region=os.environ.get("CDK_DEFAULT_REGION"),
        )
        compose(app, target, settings_of(app.node.try_get_context("headrace"), environment))
    except InvalidInput as error:
        print("\n".join(error.problems), file=sys.stderr)  # noqa: T201 - the CDK CLI shows stderr to the user
        return error.exit_code
    app.synth()
    return 0


def _context_without_cli() -> dict[str, Any] | None:
    """The CDK CLI hands over the context of cdk.json; `python app.py` alone reads it here."""
    if "CDK_CONTEXT_JSON" in os.environ:
        return None
    plain: dict[str, Any] = json.loads(Path(__file__).with_name("cdk.json").read_text(encoding="utf-8"))
    context: dict[str, Any] = plain["context"]
    return context


if __name__ == "__main__":
    sys.exit(main())
