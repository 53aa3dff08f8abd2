"""A Lustre of its own for a job and for a notebook, by the real machines on the platform of the embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from headrace import ephemeral, launch
from headrace.aws import Aws
from headrace.channels import Channel
from headrace.execution_history import execution_arn
from headrace.platform import OWNER_TAG, PLATFORM_TAG, EphemeralPart
from headrace.rules import RuleViolations
from headrace.sources import LustreSource
from headrace.training import TrainingJob

from tests.command_line import Run, runner
from tests.conftest import ENVIRONMENT_NAME, DeployedPlatform

IMAGE = "ephemeral:1"
DEADLINE_SECONDS = 60


@pytest.fixture(autouse=True)
def _environment(deployed: DeployedPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def part(deployed: DeployedPlatform) -> EphemeralPart:
    """The platform's machines."""
    found = deployed.platform.ephemeral
    assert found is not None
    return found


@pytest.fixture(scope="module", autouse=True)
def image(deployed: DeployedPlatform) -> None:
    """An image in ECR."""
    deployed.push_image(IMAGE)


@pytest.fixture
def folder(deployed: DeployedPlatform) -> str:
    """A folder below the link ``data`` with three files in it; its name below the link."""
    name = uuid4().hex[:12]
    for number in range(3):
        deployed.client("s3").put_object(
            Bucket=deployed.foundation.bucket, Key=f"data/{name}/{number}.txt", Body=f"{number}".encode()
        )
    return name


@pytest.fixture
def job_file(tmp_path: Path, folder: str) -> Callable[..., str]:
    """Writes a job file that runs a line of shell with the folder as its channel; its path."""

    def write(script: str, preload: bool = False) -> str:
        path = tmp_path / "job.yaml"
        path.write_text(
            f"base_job_name: eph\nimage: {IMAGE}\ninstance_type: ml.m5.large\nmax_runtime_seconds: 600\n"
            f"channels:\n  train: {{lustre: data, path: {folder}}}\n"
            f"command: [sh, -ec, {json.dumps(script)}]\n"
            f"ephemeral: {{preload: {json.dumps(preload)}, capacity_attempts: 2}}\n"
        )
        return str(path)

    return write


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""
    return runner(monkeypatch, capsys)


def _left(aws: Aws) -> list[str]:
    found = aws.file_systems.lustres({PLATFORM_TAG: ENVIRONMENT_NAME, OWNER_TAG: ""})
    return [each.file_system_id for each in found]


def test_a_job_has_a_file_system_of_its_own(run: Run, job_file: Callable[..., str], folder: str) -> None:
    """It finds its data where the shared file system would show it, and nothing is left."""
    outcome = run("train", job_file("cat /opt/ml/input/data/train/*.txt"), "--ephemeral", "--wait", "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["status"], told["imported_files"], told["job"]["status"]) == ("SUCCEEDED", 3, "Completed")
    assert [each["stage"] for each in told["stages"]] == [
        "checking",
        "creating",
        "linking",
        "importing",
        "training",
        "tearing down",
    ]
    assert told["file_system"]["is_gone"]
    assert told["gib_hours"] > 0
    assert "012" in outcome.err  # what the script printed
    assert _left(Aws()) == []
    again = json.loads(run("status", told["name"], "--json").out)
    assert (again["name"], again["status"], again["stage"]) == (told["name"], "SUCCEEDED", "tearing down")


def test_a_job_finds_all_content_loaded_and_counted(run: Run, job_file: Callable[..., str], folder: str) -> None:
    """The preload is a job of the flow; its progress is shown, and its counts are compared by the machine."""
    outcome = run("train", job_file("ls /opt/ml/input/data/train", preload=True), "--ephemeral", "--wait", "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    details = {each["stage"]: each["detail"] for each in told["stages"]}
    assert details["preloading"] == f"{told['name']}-preload"
    assert told["job"]["name"] == told["name"]
    assert "loaded_bytes" not in outcome.err


def test_a_job_that_fails_ends_the_command_and_its_file_system(run: Run, job_file: Callable[..., str]) -> None:
    """The error is the job's."""
    outcome = run("train", job_file("echo why >/opt/ml/output/failure; exit 3"), "--ephemeral", "--wait")
    assert outcome.code == 1
    assert "Ephemeral.TrainingFailed" in outcome.err.splitlines()[-1]
    assert _left(Aws()) == []


def test_a_flow_is_found_by_its_name_and_stopped_with_its_file_system(run: Run, job_file: Callable[..., str]) -> None:
    """Before there is a job, and when there is one."""
    name = run("train", job_file("sleep 100"), "--ephemeral", "--no-wait").out.strip()
    early = run("status", name, "--json")
    assert early.code == 0, early.err
    assert json.loads(early.out)["status"] == "RUNNING"
    _until(lambda: json.loads(run("status", name, "--json").out)["stage"] == "training")
    seen = run("in-use", "--platform", ENVIRONMENT_NAME)
    assert seen.code == 1
    assert name in seen.out
    outcome = run("stop", name, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out) == [
        {"name": name, "status": "ABORTED", "file_system_is_gone": True, "was_asked": True}
    ]
    assert _left(Aws()) == []
    assert run("in-use", "--platform", ENVIRONMENT_NAME).code == 0
    assert json.loads(run("stop", name, "--json").out)[0]["was_asked"] is False


def _in_a_notebook(folder: str, told: list[str]) -> None:
    """Two jobs on one file system, one on what it does not show, and then a mistake."""
    with ephemeral.lustre({"data": folder}, hours=2, platform=ENVIRONMENT_NAME, told=told.append) as held:
        told.append(held.name)
        assert _left(Aws()) == [held.file_system_id]
        for number in range(2):
            job = TrainingJob(
                name=f"{held.platform.foundation.job_name_prefix}held-{number}-{uuid4().hex[:8]}",
                image=IMAGE,
                instance_type="ml.m5.large",
                channels=(Channel(name="train", source=LustreSource(link="data", path=folder)),),
                command=("sh", "-ec", "test $(ls /opt/ml/input/data/train | wc -l) = 3"),
            )
            assert launch.train(job, platform=held.platform).status == "Completed"
        whole = Channel(name="train", source=LustreSource(link="data"))
        with pytest.raises(RuleViolations, match="V133"):
            launch.train(replace(job, name=f"{job.name}-x", channels=(whole,)), platform=held.platform)
        raise ZeroDivisionError


def test_a_notebook_holds_a_file_system_for_its_jobs(folder: str, part: EphemeralPart) -> None:
    """Several jobs read it; it goes when the block ends, with an error, too."""
    told: list[str] = []
    with pytest.raises(ZeroDivisionError):
        _in_a_notebook(folder, told)
    assert _left(Aws()) == []
    name = next(each for each in told if each.startswith("dev-hold-"))
    execution = Aws().executions.describe(execution_arn(part.machine_arn, name))
    assert execution is not None
    assert execution.status == "ABORTED"
    assert told[-1] == "the file system is gone"


def test_the_reapers_decisions_are_those_that_a_dry_run_shows(run: Run, job_file: Callable[..., str]) -> None:
    """A flow that runs keeps its file system."""
    name = run("train", job_file("sleep 100"), "--ephemeral", "--no-wait").out.strip()
    _until(lambda: bool(_left(Aws())))
    shown = run("reap", "--dry-run", "--json", "--platform", ENVIRONMENT_NAME)
    assert shown.code == 0, shown.err
    (decision,) = json.loads(shown.out)
    assert decision["decision"] == "KEEP"
    assert decision["conditions"]["owner ended"] is False
    assert "KEEP" in run("reap", "--dry-run", "--platform", ENVIRONMENT_NAME).out
    assert run("reap", "--platform", ENVIRONMENT_NAME).code == 0
    assert run("stop", name).code == 0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
