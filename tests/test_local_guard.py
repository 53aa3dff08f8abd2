"""No command of the demo can reach a real account."""

from __future__ import annotations

import pytest
from headrace.errors import InvalidInput
from headrace_local.environment import client_environment
from headrace_local.guard import closed_environment, require_closed

CLOSED = client_environment(endpoint_url="http://127.0.0.1:5566", account="111111111111", region="us-east-1")

OPENINGS = [
    ({"AWS_ENDPOINT_URL": "https://sagemaker.us-east-1.amazonaws.com"}, "AWS_ENDPOINT_URL is"),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1.example.com:80"}, "AWS_ENDPOINT_URL is"),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1@example.com"}, "AWS_ENDPOINT_URL is"),
    ({"AWS_ENDPOINT_URL": "http://localhost:5566"}, "AWS_ENDPOINT_URL is"),
    ({"AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com"}, "AWS_ENDPOINT_URL_S3 is"),
    ({"AWS_PROFILE": "production"}, "AWS_PROFILE is set"),
    ({"AWS_SESSION_TOKEN": "x"}, "AWS_SESSION_TOKEN is set"),
    ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true"),
    ({"https_proxy": "http://proxy:3128"}, "https_proxy is set"),
]


def test_the_embedded_aws_is_closed() -> None:
    """Its own variables open nothing."""
    require_closed(CLOSED)


@pytest.mark.parametrize(("variables", "expected"), OPENINGS)
def test_each_way_out_is_refused(variables: dict[str, str], expected: str) -> None:
    """Every variable by which a client would leave this machine."""
    with pytest.raises(InvalidInput) as caught:
        require_closed({**CLOSED, **variables})
    assert str(caught.value).startswith(expected)


def test_without_an_endpoint_nothing_starts() -> None:
    """The variable that is missing is the most dangerous one."""
    with pytest.raises(InvalidInput, match="commands would go to the real AWS"):
        require_closed({name: value for name, value in CLOSED.items() if name != "AWS_ENDPOINT_URL"})


def test_several_ways_out_are_reported_together() -> None:
    """One line each."""
    with pytest.raises(InvalidInput) as caught:
        require_closed({**CLOSED, "AWS_PROFILE": "p", "HTTPS_PROXY": "p", "AWS_ENDPOINT_URL": "https://x"})
    assert len(caught.value.problems) == 3


def test_the_shells_own_aws_settings_do_not_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo in a shell that is logged in to production."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SAGEMAKER", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPRODUCTION")
    environment = closed_environment(CLOSED)
    assert "production" not in environment.values()
    assert environment["AWS_ACCESS_KEY_ID"] == CLOSED["AWS_ACCESS_KEY_ID"]
