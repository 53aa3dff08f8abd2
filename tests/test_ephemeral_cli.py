"""The commands around flows: what they print, and how they end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import headrace.aws
import pytest
from headrace import launch
from headrace.aws.objects import StoredObject
from headrace.cli import flow_view, reap
from headrace.ephemeral import flows, preparing, reaper, reaping, starting, survey, teardown
from headrace.ephemeral.flows import Flow
from headrace.ephemeral.stages import Progress
from headrace.errors import InvalidInput
from headrace.execution_history import execution_arn
from headrace.job_description import LogLine, Transition

from tests.command_line import Run, runner
from tests.flow_records import (
    ARN,
    COURSE,
    CREATED,
    EPHEMERAL_PLATFORM,
    MADE,
    NAME,
    PART,
    START,
    FakeAws,
    a_job,
    a_lustre,
    asked_for,
    events,
    execution,
)

BY_HAND = "aws fsx delete-file-system --file-system-id fs-1, if nobody needs it"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """The account; nobody waits."""
    fake = FakeAws()
    monkeypatch.setattr(headrace.aws, "Aws", lambda _region=None: fake)
    for module, name in (
        (flows, "FIRST_POLL_SECONDS"),
        (flows, "_SLOWEST_POLL_SECONDS"),
        (teardown, "_TEARDOWN_SECONDS"),
        (launch, "_LAST_LINES_SECONDS"),
        (reaper, "_PAUSE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, -1 if name == "_TEARDOWN_SECONDS" else 0)
    monkeypatch.setattr(starting, "PAUSES_SECONDS", (0.0,))
    monkeypatch.setattr(launch, "read_platform", lambda _aws, _platform=None: EPHEMERAL_PLATFORM)
    monkeypatch.setattr(preparing.preflight, "check", lambda plan, _aws: list(plan.findings))

    class Store:
        def __init__(self, _connection: object) -> None: ...

        def bucket_region(self, _bucket: str) -> str:
            return "us-east-1"

        def list_objects(self, _bucket: str, prefix: str, _region: str) -> Any:
            return iter([StoredObject(key=f"{prefix}a", size_bytes=7, modified=START)])

    monkeypatch.setattr(survey, "Objects", Store)
    return fake


@pytest.fixture
def run(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, on that account."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def job_file(tmp_path: Path) -> str:
    """A job on Lustre; its name is the flow's of the other tests."""
    path = tmp_path / "job.yaml"
    path.write_text(
        f"job_name: {NAME}\nimage: x:1\ninstance_type: ml.m5.large\nmax_runtime_seconds: 600\n"
        "channels: {train: {lustre: data}}\nrole_arn: arn:aws:iam::111111111111:role/headrace-dev-fs\n"
    )
    return str(path)


def _is_new(aws: FakeAws) -> None:
    """No flow has the name yet."""
    aws.steps = [None]  # type: ignore[list-item]


def test_a_dry_run_prints_the_machines_input(run: Run, aws: FakeAws, job_file: str) -> None:
    """And says what it is made of."""
    _is_new(aws)
    outcome = run("train", job_file, "--ephemeral", "--dry-run")
    assert outcome.code == 0, outcome.err
    given = json.loads(outcome.out)
    assert (given["JobName"], given["Lustre"]["StorageCapacity"]) == (NAME, 1200)
    assert "1 object, 7 bytes: /data <- s3://lake/data/" in outcome.err
    assert f"would start {PART.machine_arn} with" in outcome.err
    assert re.search(r"costs at most [0-9.,]+ GiB-hours, about \$[0-9.]+ if it lives so long", outcome.err)
    assert aws.deeds == []


def test_without_waiting_the_name_is_printed(run: Run, aws: FakeAws, job_file: str) -> None:
    """By which it is found again."""
    _is_new(aws)
    outcome = run("train", job_file, "--ephemeral", "--no-wait")
    assert (outcome.code, outcome.out) == (0, f"{NAME}\n")
    told = run("train", job_file, "--ephemeral", "--no-wait", "--json").out
    assert json.loads(told) == {"name": NAME, "arn": ARN}


def _ends(aws: FakeAws, status: str, **members: Any) -> None:
    """The flow is not there before it is started, and ends soon after."""
    aws.history = COURSE
    aws.jobs = {each: a_job(each) for each in (f"{NAME}-preload", NAME, f"{NAME}-2")}
    start = aws.start

    def started(*given: Any) -> str:
        aws.steps = [execution(), execution(status, **members)]
        return start(*given)

    aws.start = started  # type: ignore[method-assign]
    aws.names_in_use = lambda _names: ()  # type: ignore[method-assign, assignment]
    _is_new(aws)


@pytest.mark.parametrize("wait", [[], ["--wait"]])
def test_waiting_shows_stages_with_times_and_cost(run: Run, aws: FakeAws, job_file: str, wait: list[str]) -> None:
    """And the facts at the end; that is what happens unless somebody does not want it."""
    _ends(aws, "SUCCEEDED")
    outcome = run("train", job_file, "--ephemeral", *wait)
    assert outcome.code == 0, outcome.err
    lines = [line for line in outcome.err.splitlines() if line.startswith("[")]
    assert lines[0].startswith("[   0.0 s] checking: the spending cap")
    assert any("importing: names and sizes of all files (100.0 GiB-hours, about $0.02)" in line for line in lines)
    assert any(f"training: the job: {NAME}-2" in line for line in lines)
    assert f"{NAME}: SUCCEEDED" in outcome.out
    assert f"{NAME}-2: Completed" in outcome.out


def test_a_flow_that_fails_ends_the_command_with_its_error(run: Run, aws: FakeAws, job_file: str) -> None:
    """Exit code 1, the reason on the last line, the facts on stdout."""
    _ends(aws, "FAILED", error="Ephemeral.TrainingFailed", cause="job is Failed")
    outcome = run("train", job_file, "--ephemeral", "--wait", "--json")
    assert outcome.code == 1
    assert outcome.err.splitlines()[-1] == f"error: {NAME}: FAILED: Ephemeral.TrainingFailed: job is Failed"
    assert json.loads(outcome.out)["error"] == "Ephemeral.TrainingFailed"


def test_what_is_left_by_a_flow_that_was_aborted_is_awaited(run: Run, aws: FakeAws, job_file: str) -> None:
    """Somebody else may have stopped it."""
    _ends(aws, "ABORTED", error="Ephemeral.Stopped", cause="stopped by headrace")
    aws.lists = [[], [a_lustre()], [a_lustre(lifecycle="DELETING")], []]
    outcome = run("train", job_file, "--ephemeral", "--wait")
    assert outcome.code == 1
    assert "fs-1 is DELETING" in outcome.err
    assert ("start", "teardown", ARN) in aws.deeds


def test_ctrl_c_says_that_the_flow_goes_on(
    run: Run, aws: FakeAws, job_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how to pick it up."""

    def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt
        yield

    _is_new(aws)
    monkeypatch.setattr(flows, "follow", interrupted)
    outcome = run("train", job_file, "--ephemeral", "--wait")
    assert outcome.code == 130
    assert f"headrace status {NAME}; headrace stop {NAME} ends both" in outcome.err
    assert ("start", "ephemeral", "job") in aws.deeds
    assert not any(each[0] in ("stop", "delete") for each in aws.deeds)


def test_ctrl_c_while_the_flow_is_started_says_that_it_may_be_there(run: Run, aws: FakeAws, job_file: str) -> None:
    """The answer may be what was interrupted."""
    _is_new(aws)
    aws.start_error = KeyboardInterrupt()
    outcome = run("train", job_file, "--ephemeral")
    assert outcome.code == 130
    assert f"it may have been started: headrace status {NAME}" in outcome.err


def test_status_of_a_flow_before_there_is_a_job(run: Run, aws: FakeAws) -> None:
    """Stage, file system, cost, expiry."""
    aws.history = events("Begin", "CreateFileSystem", CREATED, "CreateLink")
    aws.lists = [[a_lustre()]]
    told = json.loads(run("status", NAME, "--json").out)
    assert (told["status"], told["stage"], told["job"]) == ("RUNNING", "linking", None)
    assert told["file_system"] == {
        "file_system_id": "fs-1",
        "storage_capacity_gib": 1200,
        "lifecycle": "AVAILABLE",
        "is_gone": False,
    }
    assert told["expires"] == "2026-01-01T02:00:00+00:00"
    assert told["usd"] > 0
    shown = run("status", NAME).out
    assert "linking since 2026-01-01 00:03:00 UTC" in shown
    assert "fs-1, 1,200 GiB, AVAILABLE" in shown


def test_status_of_a_flow_that_has_failed_says_why_and_that_nothing_is_left(run: Run, aws: FakeAws) -> None:
    """The command itself ends with 0."""
    aws.history = events("Begin", "CreateFileSystem", CREATED, "StartTeardown")
    aws.steps = [execution("FAILED", error="Ephemeral.FileSystemNotReady", cause="it is FAILED")]
    outcome = run("status", NAME)
    assert outcome.code == 0
    assert "Ephemeral.FileSystemNotReady: it is FAILED" in outcome.out
    assert "fs-1, 1,200 GiB, gone" in outcome.out
    aws.history = events("Begin")
    assert "was not made" in run("status", NAME).out


def test_status_of_a_flows_job_shows_the_flow(run: Run, aws: FakeAws) -> None:
    """By its tag, whatever the job is called."""
    aws.history = events("Begin", asked_for(NAME), MADE, asked_for(f"{NAME}-2"), MADE)
    aws.jobs = {each: a_job(each, "InProgress") for each in (NAME, f"{NAME}-2")}
    aws.job_tags = {"headrace:owner": ARN}
    told = json.loads(run("status", f"{NAME}-2", "--json").out)
    assert (told["name"], told["job"]["name"]) == (NAME, f"{NAME}-2")


def test_without_the_right_to_read_tags_the_job_is_shown(
    run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known is told."""
    from headrace.aws.connection import AccessDenied

    def denied(_arn: str) -> Any:
        raise AccessDenied("no", "sagemaker:ListTags")

    monkeypatch.setattr(aws, "tags", denied)
    aws.jobs = {NAME: a_job(NAME)}
    outcome = run("status", NAME, "--json")
    assert json.loads(outcome.out)["status"] == "Completed"
    assert outcome.err == f"{NAME} is taken for a job without a flow: no\n"


@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_name_that_is_neither_a_jobs_nor_a_flows(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Told as before, with a platform and without one."""
    assert run(command, "nobody").err == "error: no training job 'nobody'\n"

    def missing(_aws: Any, _platform: str | None = None) -> Any:
        raise InvalidInput("platform 'dev': no record")

    monkeypatch.setattr(launch, "read_platform", missing)
    outcome = run(command, NAME)
    assert (outcome.code, outcome.err) == (2, f"error: no training job '{NAME}'\n")


def test_stop_comes_back_when_the_file_system_is_gone(run: Run, aws: FakeAws) -> None:
    """Aborted, then taken down from outside."""
    aws.lists = [[a_lustre()], [a_lustre(lifecycle="DELETING")], []]
    outcome = run("stop", NAME, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out) == [
        {"name": NAME, "status": "ABORTED", "file_system_is_gone": True, "was_asked": True}
    ]
    assert aws.deeds == [("stop", "Ephemeral.Stopped"), ("start", "teardown", ARN)]
    assert "fs-1 is DELETING" in outcome.err


@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_flow_that_is_not_the_jobs_is_left_alone(run: Run, aws: FakeAws, command: str) -> None:
    """Whoever may tag a job may write any execution there: it is neither stopped nor shown."""
    stranger = ARN.replace("-ephemeral:", "-payroll:")
    aws.others = {stranger: execution(arn=stranger)}
    aws.jobs = {NAME: a_job(NAME, "InProgress")}
    aws.job_tags = {"headrace:owner": stranger}
    stopped: list[Any] = []

    def stop(name: str, *_reason: str) -> bool:
        stopped.append(name)
        return True

    aws.stop = stop  # type: ignore[method-assign]
    outcome = run(command, NAME, "--json")
    assert outcome.code == 0, outcome.err
    assert f"headrace:owner of {NAME} is '{stranger}'" in outcome.err
    assert stopped == ([NAME] if command == "stop" else [])
    assert "InProgress" in outcome.out


def test_stop_with_the_wrong_platform_does_nothing(run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform is held against the flow before anything is stopped."""
    other = replace(PART, machine_arn=PART.machine_arn.replace("-dev-", "-birds-"))
    monkeypatch.setattr(launch, "read_platform", lambda _aws, _name=None: replace(EPHEMERAL_PLATFORM, ephemeral=other))
    outcome = run("stop", NAME, "--platform", "birds")
    assert (outcome.code, aws.deeds) == (2, [])


def test_stop_may_come_back_at_once(run: Run, aws: FakeAws) -> None:
    """EventBridge does the rest."""
    outcome = run("stop", NAME, "--no-wait", "--json")
    assert json.loads(outcome.out)[0]["file_system_is_gone"] is False
    assert aws.deeds == [("stop", "Ephemeral.Stopped")]


def test_stopping_what_has_ended_waits_for_nothing(run: Run, aws: FakeAws) -> None:
    """Its file system went with it."""
    aws.steps = [execution("SUCCEEDED")]
    assert run("stop", NAME).out == f"{NAME}: SUCCEEDED already\n"
    assert aws.deeds == []


def test_a_platform_in_use_ends_with_1_and_the_list(run: Run, aws: FakeAws) -> None:
    """What make destroy prints before it gives up; nothing where there is nothing."""
    quiet = run("in-use")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    aws.lists = [[a_lustre()]]
    outcome = run("in-use")
    assert outcome.code == 1
    assert outcome.out.startswith(f"ephemeral file system fs-1 of {NAME} is AVAILABLE; fix: headrace stop {NAME}")
    assert json.loads(run("in-use", "--json").out)[0]["state"] == "AVAILABLE"


def test_a_platform_without_a_record_is_told(run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may look in another Region than the platform's; it is no error all the same."""
    monkeypatch.setattr(aws, "parameters_below", lambda _path: {})
    outcome = run("in-use", "--platform", "birds")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "nothing of platform birds is deployed in us-east-1: it has no record there\n"


def test_a_name_that_is_no_platforms_is_refused_before_aws_is_asked(
    run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parameter store would say so less kindly."""
    monkeypatch.setattr(aws, "parameters_below", None)
    outcome = run("in-use", "--platform", "a/b")
    assert outcome.code == 2
    assert outcome.err.startswith("error: platform is 'a/b'; allowed: letters")


def test_a_platform_is_looked_for_in_its_own_account(run: Run, aws: FakeAws) -> None:
    """The settings name it."""
    assert run("in-use", "--account", "111111111111").code == 0
    outcome = run("in-use", "--account", "222222222222")
    assert outcome.code == 2
    assert "--account is '222222222222'; allowed: 111111111111" in outcome.err


def test_the_reapers_lines_say_what_is_against_deleting(run: Run, aws: FakeAws) -> None:
    """For people, one whole line for each file system; and as JSON."""
    assert "has no ephemeral file system" in run("reap", "--dry-run").err
    aws.lists = [[a_lustre()]]
    aws.steps = [execution("FAILED")]
    expires = "2026-01-01T02:00:00.000Z"
    assert run("reap", "--dry-run").out == f"fs-1 of {NAME}: MARK; expires {expires}; nothing against deleting\n"
    (told,) = json.loads(run("reap", "--dry-run", "--json").out)
    assert (told["file_system_id"], told["decision"], told["conditions"]["expired"]) == ("fs-1", "MARK", True)
    aws.steps, aws.jobs = [execution()], {NAME: a_job(NAME, "InProgress")}
    aws.client_connections = lambda *_given: 2.0  # type: ignore[method-assign]
    assert run("reap", "--dry-run").out.endswith(
        f"against deleting: its flow runs, mounted by {NAME}, it has had 2 client(s) in the last quarter of an hour\n"
    )


def test_no_condition_is_without_words() -> None:
    """Whatever does not hold."""
    facts = reaping.FileSystemFacts(
        file_system_id="fs-1",
        lifecycle="DELETING",
        created=START,
        has_platform_tag=False,
        owner_arn=None,
        owner=reaping.Owner(is_known=False),
        expires_tag="9999-01-01T00:00:00Z",
        marked_tag=None,
        itself_tag="fs-2",
        unknown_jobs=3,
        clients=None,
    )
    line = reap._line(reaping.decide(facts, START, 24))
    assert line.startswith("fs-1 of nobody: KEEP;")
    assert line.count(", ") == len(reaping.Condition) - 1


def test_the_reapers_result_is_printed(run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has expired, or what was decided; as JSON in the form of the dry run."""
    assert "nothing has expired" in run("reap").err
    assert aws.deeds == [("start", "reaper", "job")]
    decided = {"Id": "fs-1", "Decision": "MARK", "Owner": ARN, "Expired": True, "IsItself": True, "OwnerEnded": True}
    decided |= {"Expires": "2026-01-01T02:00:00.000Z", "Marked": None, "Mounted": False, "Clients": 0}
    done = execution("SUCCEEDED", output={"Decisions": [decided]})
    monkeypatch.setattr(reaper, "described", lambda _aws, _arn: done)
    assert run("reap").out == "fs-1: MARK\n"
    (told,) = json.loads(run("reap", "--json").out)
    aws.lists, aws.steps = [[a_lustre()]], [execution("FAILED")]
    (dry,) = json.loads(run("reap", "--dry-run", "--json").out)
    assert told == dry | {"lifecycle": None, "mounted_by": None, "unknown_jobs": None}


def test_what_a_preload_counts_is_progress_and_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Its numbers come every few seconds; other lines are shown."""
    begun = Progress(job_name=NAME).after(COURSE[:10]).stages
    flow = Flow(execution=execution("SUCCEEDED"), progress=Progress(job_name=NAME))
    lines = [
        LogLine(stream="x/algo-1", written=START, text=text) for text in ("loaded_files=5 loaded_bytes=7", "hello")
    ]
    assert flow_view.follow([*begun, *lines, flow], 1200, "us-east-1") is flow
    told = capsys.readouterr().err
    assert "preloading: every file is read once: dev-digits-preload" in told
    assert "  hello" in told
    assert "loaded_bytes" not in told


def test_without_a_terminal_a_line_a_minute_says_that_it_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage may take half an hour, in which nothing else is told."""
    monkeypatch.setattr(flow_view, "_LINE_SECONDS", 0.01)

    def slow() -> Any:
        yield Progress(job_name=NAME).after(COURSE[:1]).stages[0]
        time.sleep(0.1)
        yield Flow(execution=execution(), progress=Progress(job_name=NAME))

    flow_view.follow(slow(), 1200, "us-east-1")
    assert "\n  checking for " in capsys.readouterr().err


def test_each_phase_names_its_job_and_times_do_not_go_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Two jobs have the same phases, and the clocks of three services differ; what a preload has loaded is told."""
    first, *later = Progress(job_name=NAME).after(COURSE[:10]).stages

    def phase(seconds: int) -> Transition:
        return Transition(status="Starting", message="x", started=START + timedelta(seconds=seconds), ended=None)

    told: list[Any] = [first, *later, flows.JobBegins(name="p", is_preload=True), phase(9 * 60)]
    told += [LogLine(stream="x/algo-1", written=START, text="loaded_files=1 loaded_bytes=7"), a_job("p")]
    told += [flows.JobBegins(name=NAME, is_preload=False), phase(3)]
    flow_view.follow([*told, Flow(execution=execution(), progress=Progress(job_name=NAME))], 1200, "us-east-1")
    lines = capsys.readouterr().err.splitlines()[-3:]
    assert lines == ["[ 540.0 s] preload: Starting: x", "  1 file loaded", "[ 540.0 s] training: Starting: x"]


def test_text_of_others_is_made_safe(run: Run, aws: FakeAws) -> None:
    """A cause may hold what a container printed."""
    aws.steps = [execution("FAILED", error="E", cause="\x1b[31mred")]
    assert "\x1b" not in run("status", NAME).out
    assert execution_arn(PART.machine_arn, NAME) == ARN


def test_everything_that_the_readme_names_is_there_after_one_import() -> None:
    """In a notebook nobody imports rooms one by one."""
    look = "import headrace, sys; assert 'boto3' not in sys.modules; print(headrace.ephemeral.lustre, headrace.train)"
    outcome = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.count("function") == 2


@pytest.mark.parametrize(
    ("lustre", "steps", "fix"),
    [
        (a_lustre(), "RUNNING", f"headrace stop {NAME}, or wait for its end"),
        (a_lustre(), "FAILED", f"headrace stop {NAME}"),
        (a_lustre(lifecycle="DELETING"), "FAILED", "wait until it is gone"),
        (a_lustre(created=START + timedelta(hours=9)), "FAILED", BY_HAND),
        (a_lustre(owner=f"{ARN}-that-never-was"), "FAILED", BY_HAND),
        (a_lustre(owner="an apple"), "FAILED", BY_HAND),
    ],
)
def test_each_use_has_a_fix_that_helps(run: Run, aws: FakeAws, lustre: Any, steps: str, fix: str) -> None:
    """headrace stop ends what its flow has made; what tags only claim to be a flow's, nobody deletes but a person."""
    aws.lists, aws.steps = [[lustre]], [execution(steps)]
    assert json.loads(run("in-use", "--json").out)[0]["fix"].startswith(fix)


def test_a_use_of_a_platform_without_a_record(run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machines are not there."""
    monkeypatch.setattr(aws, "parameters_below", lambda _path: {})
    aws.lists = [[a_lustre()]]
    assert BY_HAND in run("in-use").out


def test_stop_takes_down_what_a_flow_that_has_ended_has_left(run: Run, aws: FakeAws) -> None:
    """Its own teardown may have ended before the file system was seen."""
    aws.steps = [execution("FAILED")]
    aws.lists = [[a_lustre()], [a_lustre()], [a_lustre()], []]
    outcome = run("stop", NAME)
    assert (outcome.code, aws.deeds) == (0, [("start", "teardown", ARN)]), outcome.err
    assert outcome.err.endswith(f"the file system of {NAME} is gone\n")


def test_stop_of_an_ended_flow_need_not_wait(run: Run, aws: FakeAws) -> None:
    """Nothing but this starts a teardown for it."""
    aws.steps, aws.lists = [execution("FAILED")], [[a_lustre()]]
    outcome = run("stop", NAME, "--no-wait", "--json")
    assert json.loads(outcome.out)[0]["file_system_is_gone"] is False
    assert aws.deeds == [("start", "teardown", ARN)]


def test_stop_tells_of_file_systems_that_bear_copied_tags(run: Run, aws: FakeAws) -> None:
    """They are none of the flow's."""
    aws.steps, aws.history = [execution("ABORTED")], COURSE[:4]
    aws.lists = [[a_lustre(file_system_id="fs-2", created=START + timedelta(hours=9))]]
    outcome = run("stop", NAME)
    assert outcome.code == 0
    assert f"fs-2 is AVAILABLE: it names {NAME} as its owner, which has not made it; fix: aws fsx" in outcome.err


def test_stop_says_which_job_is_waited_for(run: Run, aws: FakeAws) -> None:
    """It has two minutes of grace, in which nothing else happens."""
    aws.history, aws.jobs = COURSE[:-1], {f"{NAME}-2": a_job(f"{NAME}-2", "Stopping")}
    aws.lists = [[a_lustre()], [a_lustre()], []]
    assert (
        f"waiting for the teardown; fs-1 is AVAILABLE; waiting for training job {NAME}-2 to stop"
        in run("stop", NAME).err
    )


def test_ctrl_c_in_stop_says_that_the_file_system_goes_all_the_same(
    run: Run, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The teardown is in the account."""

    def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(teardown, "until_gone", interrupted)
    outcome = run("stop", NAME)
    assert outcome.code == 130
    assert f"{NAME}: its file system is taken down all the same: headrace status {NAME}" in outcome.err


@pytest.mark.parametrize("command", ["logs", "timeline"])
def test_what_is_asked_of_a_flows_job_before_it_is_there(run: Run, aws: FakeAws, command: str) -> None:
    """The name is right, and says so; one that nothing has is told as ever."""
    aws.history = events("Begin", "CreateFileSystem")
    outcome = run(command, NAME)
    assert (outcome.code, outcome.err) == (
        2,
        f"error: flow {NAME} is RUNNING, creating, and has no training job of this name yet; "
        f"fix: headrace status {NAME}\n",
    )
    aws.steps = [execution("FAILED")]
    assert f"flow {NAME} is FAILED, creating, and had no training job of this name; fix" in run(command, NAME).err
    assert run(command, "nobody").err == "error: no training job 'nobody'\n"


def test_check_says_what_checks_a_job_on_a_lustre_of_its_own(
    run: Run, job_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows only the shared one."""
    monkeypatch.setattr(preparing.preflight, "check", lambda _plan, _aws: [])
    told = f"headrace train {job_file} --ephemeral --dry-run"
    assert told not in run("check", job_file).err
    with Path(job_file).open("a") as file:
        file.write("ephemeral: {preload: false}\n")
    assert told in run("check", job_file).err
