"""No command of the demo can reach a real account."""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3
import pytest
from headrace.errors import InvalidInput
from headrace_local import process
from headrace_local.environment import client_environment, shell_exports
from headrace_local.guard import close_this_process, closed_environment, require_closed

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
    ({"CDK_PROXY": "http://proxy:3128"}, "CDK_PROXY is set"),
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


ELSEWHERE = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "CDK_PROXY": "http://127.0.0.1:9",
    "NODE_OPTIONS": "--require ./x.js",
    "HEADRACE_PLATFORM": "prod",
}


def test_this_process_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo calls boto3 itself, beside the commands that it starts."""
    before = dict(os.environ)
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    try:
        close_this_process(CLOSED)
        assert os.environ["AWS_ENDPOINT_URL"] == CLOSED["AWS_ENDPOINT_URL"]
        assert ELSEWHERE.keys().isdisjoint(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_the_exports_of_env_undo_what_the_shell_has() -> None:
    """After the eval, nothing leads past the embedded AWS."""
    (unset,) = [line for line in shell_exports(CLOSED, ELSEWHERE).splitlines() if line.startswith("unset ")]
    assert {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "http_proxy"} <= set(unset.split())
    assert "AWS_ENDPOINT_URL" not in unset.split()


def test_the_server_itself_cannot_be_led_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own S3 calls (deploying buckets, uploading models) stay with it, whatever the shell has set."""
    for name in ("AWS_ENDPOINT_URL_S3", "HTTP_PROXY"):
        monkeypatch.setenv(name, ELSEWHERE.get(name, "http://127.0.0.1:9"))
    with process.running(tmp_path) as server:
        for name in ("AWS_ENDPOINT_URL_S3", "HTTP_PROXY"):
            monkeypatch.delenv(name)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": VERSIONED}}}
        stacks = boto3.client("cloudformation")
        stacks.create_stack(StackName="buckets", TemplateBody=json.dumps(template))
        assert stacks.describe_stacks(StackName="buckets")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


VERSIONED = {"BucketName": "versioned-bucket", "VersioningConfiguration": {"Status": "Enabled"}}
