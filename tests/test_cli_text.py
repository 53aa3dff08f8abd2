"""What others wrote never steers the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from headrace import cli, platform_file
from headrace.cli.plain_text import without_controls
from headrace.errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st

from tests.test_training import S3_PLATFORM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]0;title\x07accuracy", "]0;titleaccuracy"),
        ("\x9b31mred\x9d", "31mred"),
        ("null\x00 enquiry\x05", "null enquiry"),
        ("kept\n\tas it is: é 漢", "kept\n\tas it is: é 漢"),
    ],
)
def test_escape_sequences_lose_their_power(text: str, expected: str) -> None:
    """C0 and C1 controls go; letters, line breaks and tabs stay."""
    assert without_controls(text) == expected


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Any text."""
    assert not {chr(code) for code in (*range(32), *range(127, 160))} - {"\n", "\t"} & set(without_controls(text))


def test_findings_of_a_plan_are_plain_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A channel's name is somebody's text, and a remark about it names it."""
    (tmp_path / "record.json").write_text(json.dumps(platform_file.to_file(S3_PLATFORM)))
    (tmp_path / "job.yaml").write_text(
        "{base_job_name: x, image: 'x:1', instance_type: ml.m5.large, command: [x],"
        ' channels: {"a\\e[31m": {s3: data/x/, shuffle_seed: 1}}}'
    )
    record = ["--platform", str(tmp_path / "record.json")]
    monkeypatch.setattr(sys, "argv", ["headrace", "plan", str(tmp_path / "job.yaml"), *record, "--ignore", "V85=test"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    told = capsys.readouterr().err
    assert (stop.value.code, told.split()[0]) == (0, "V113")
    assert "channels.a[31m.shuffle_seed" in told


def test_messages_of_errors_are_plain_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A job's failure reason ends up in the last line."""

    def fail() -> None:
        raise InvalidInput("Failed: \x1b]0;title\x07 and \x9b2J")

    monkeypatch.setattr(cli, "command_line", lambda _: fail)
    monkeypatch.setattr(sys, "argv", ["headrace"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: Failed: ]0;title and 2J\n"
