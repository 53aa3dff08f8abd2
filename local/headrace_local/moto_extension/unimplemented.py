"""An operation that moto does not have is an error that says so.

moto raises inside the server and answers 500, which every AWS client takes for a passing trouble and tries again, for
half a minute in the CDK CLI.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

_call_action = BaseResponse.call_action


class NotImplementedHere(ServiceException):  # type: ignore[misc]
    """The error's code is one that clients do not retry."""

    code = "NotImplemented"


def call_action(response: BaseResponse) -> Any:
    """Dispatch a request as moto does; answer 400 where it has nothing to dispatch to."""
    try:
        return _call_action(response)
    except NotImplementedError as error:
        refusal = NotImplementedHere(f"The embedded AWS cannot do this: {error}")
        status, headers, body = response.serialized(ActionResult(refusal))
        return status, {**headers, "status": status}, body


def install() -> None:
    """Put this in the place of moto's."""
    BaseResponse.call_action = call_action
