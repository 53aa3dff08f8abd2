"""``headrace lustre release``, and what a preload makes of the tasks that import."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber
from headrace import launch
from headrace.aws import Aws
from headrace.aws.connection import AwsError
from headrace.aws.data_repository_tasks import DataRepositoryTask
from headrace.errors import InvalidInput, JobFailed
from headrace.job_description import JobDescription
from headrace.planning import plan
from headrace.platform import Platform
from headrace.preload import CountsDiffer, PreparedPreload, await_imports, result_of, tasks
from headrace.preload.job import training_job
from headrace.preload.release import Release, plan_release
from headrace_cdk.lustre_user_policies import follow_lustre_tasks, release_room
from headrace_cdk.policies import Place

from tests.command_line import Run, runner
from tests.conftest import stubbed
from tests.test_preload import NOW, PLATFORM, SOME, WANTED

FILE_SYSTEM = "fs-0123456789abcdef0"
REQUEST = {
    "FileSystemId": FILE_SYSTEM,
    "Type": "RELEASE_DATA_FROM_FILESYSTEM",
    "Paths": ["data/digits"],
    "ReleaseConfiguration": {"DurationSinceLastAccess": {"Unit": "DAYS", "Value": 0}},
    "Report": {"Enabled": False},
}


@pytest.fixture
def fsx(aws: Aws) -> Stubber:
    """What FSx answers."""
    return stubbed(aws, "fsx")


@pytest.mark.parametrize(
    ("wanted", "path", "sent"),
    [
        (Release(path="/data/digits"), "/data/digits", "data/digits"),
        (Release(path="data//digits/"), "/data/digits", "data/digits"),
        (Release(path="digits", link="data"), "/data/digits", "data/digits"),
        (Release(path="/", link="data"), "/data", "data"),
        (Release(path="/"), "/", "/"),
        (Release(path="/more"), "/more", "more"),
    ],
)
def test_paths_are_sent_as_fsx_wants_them(wanted: Release, path: str, sent: str) -> None:
    """Relative to the root, which is a slash itself; below a link where one is named."""
    planned = plan_release(wanted, PLATFORM)
    assert (planned.path, planned.request["Paths"]) == (path, [sent])


def test_the_days_are_sent() -> None:
    """0 releases files whenever they were read."""
    assert plan_release(Release(path="/data/digits"), PLATFORM).request == REQUEST
    found = plan_release(Release(path="/data", days=9), PLATFORM).request["ReleaseConfiguration"]
    assert found == {"DurationSinceLastAccess": {"Unit": "DAYS", "Value": 9}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"path": "/scratch"}, r"path is '/scratch'; allowed: in a link \(/data, /more/images\)"),
        ({"path": "/database"}, "allowed: in a link"),
        ({"path": "/data/../x"}, "no directory named"),
        ({"path": "/data/x\ny"}, "no control characters"),
        ({"link": "dta"}, "Lustre link is 'dta'; allowed: data, more"),
        ({"days": -1}, "days is -1; allowed: 0"),
        ({"path": "/data/" + "x/" * 2100}, "4096"),
    ],
)
def test_each_mistake_is_told(changes: dict[str, Any], told: str) -> None:
    """Before anything is called."""
    with pytest.raises(InvalidInput, match=told):
        plan_release(replace(Release(path="/data"), **changes), PLATFORM)


def test_a_platform_without_a_lustre_is_refused() -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match="has no shared Lustre"):
        plan_release(Release(path="/"), replace(PLATFORM, lustre=None))


def _answer(lifecycle: str, succeeded: int = 0, failed: int = 0, **members: Any) -> dict[str, Any]:
    return {
        "TaskId": "task-0123456789abcdef0",
        "Lifecycle": lifecycle,
        "Type": "RELEASE_DATA_FROM_FILESYSTEM",
        "CreationTime": NOW,
        "FileSystemId": FILE_SYSTEM,
        "Paths": ["data/digits"],
        "Report": {"Enabled": False},
        "Status": {"TotalCount": 1500, "SucceededCount": succeeded, "FailedCount": failed},
        **members,
    }


@pytest.fixture
def run(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on a platform that is known, without waiting."""

    def platform(_aws: Aws, _name: str | None = None) -> Platform:
        return PLATFORM

    monkeypatch.setattr(launch, "read_platform", platform)
    monkeypatch.setattr("headrace.aws.Aws", lambda _region: aws)
    monkeypatch.setattr(tasks.until_over, "__defaults__", (lambda _seconds: None,))
    return runner(monkeypatch, capsys, "lustre", "release")


def _expect(fsx: Stubber, *answers: dict[str, Any]) -> None:
    fsx.add_response("create_data_repository_task", {"DataRepositoryTask": answers[0]}, REQUEST)
    for each in answers[1:]:
        asked = {"TaskIds": ["task-0123456789abcdef0"]}
        fsx.add_response("describe_data_repository_tasks", {"DataRepositoryTasks": [each]}, asked)


def test_the_task_is_followed_to_its_end(run: Run, fsx: Stubber) -> None:
    """The number of files on stdout; where and what on stderr."""
    _expect(fsx, _answer("PENDING"), _answer("EXECUTING", 7), _answer("SUCCEEDED", 1500))
    outcome = run("/data/digits")
    assert outcome.code == 0, outcome.err
    assert outcome.out == f"released 1,500 files in {FILE_SYSTEM}:/data/digits; task-0123456789abcdef0\n"
    assert outcome.err == f"releasing files in {FILE_SYSTEM}:/data/digits\n"
    fsx.assert_no_pending_responses()


def test_the_result_as_json(run: Run, fsx: Stubber) -> None:
    """For machines."""
    _expect(fsx, _answer("SUCCEEDED", 1500))
    assert json.loads(run("digits", "--link", "data", "--json").out) == {
        "task_id": "task-0123456789abcdef0",
        "file_system_id": FILE_SYSTEM,
        "path": "/data/digits",
        "released_files": 1500,
        "kept_files": 0,
    }


def test_a_path_of_which_nothing_was_there_is_told(run: Run, fsx: Stubber) -> None:
    """It may be a typing error: FSx does not say so."""
    answer = _answer("SUCCEEDED") | {"Status": {"TotalCount": 0, "SucceededCount": 0, "FailedCount": 0}}
    _expect(fsx, answer)
    outcome = run("/data/digits")
    assert (outcome.code, outcome.out.startswith("released 0 files in")) == (0, True)
    assert f"nothing was there to be released in {FILE_SYSTEM}:/data/digits: no such path" in outcome.err


def test_files_that_stay_are_told(run: Run, fsx: Stubber) -> None:
    """They were changed since they came from S3, or are empty; the task has succeeded."""
    _expect(fsx, _answer("SUCCEEDED", 1490, 10))
    outcome = run("/data/digits")
    assert (outcome.code, outcome.err.count("error")) == (0, 0)
    assert outcome.out.startswith(f"released 1,490 files in {FILE_SYSTEM}:/data/digits, 10 stayed; task-")


@pytest.mark.parametrize("lifecycle", ["FAILED", "CANCELED"])
def test_a_task_that_fails_for_some_files_is_an_error_with_the_figures(run: Run, fsx: Stubber, lifecycle: str) -> None:
    """Exit code 1."""
    _expect(fsx, _answer("EXECUTING"), _answer(lifecycle, 1490, 10, FailureDetails={"Message": "10 files\nfailed"}))
    outcome = run("/data/digits")
    assert outcome.code == 1
    assert f"is {lifecycle}: released 1,490 of 1,500 files, 10 failed: 10 files failed" in outcome.err
    assert outcome.out == ""


def test_a_dry_run_prints_the_request_and_creates_nothing(run: Run, fsx: Stubber) -> None:
    """What FSx would be sent."""
    outcome = run("/data/digits", "--dry-run")
    assert (outcome.code, json.loads(outcome.out)) == (0, REQUEST)
    assert "would release files in" in outcome.err


@pytest.mark.parametrize(
    ("code", "exit_code"), [("DataRepositoryTaskExecuting", 2), ("UnsupportedOperation", 1), ("InternalServerError", 1)]
)
def test_what_fsx_refuses_is_one_line(run: Run, fsx: Stubber, code: str, exit_code: int) -> None:
    """Another task may be at work on these files."""
    fsx.add_client_error("create_data_repository_task", code, "An existing task\nis executing.")
    outcome = run("/data/digits")
    assert outcome.code == exit_code
    assert f"CreateDataRepositoryTask: {code}: An existing task is executing." in outcome.err


def test_all_tasks_of_a_file_system_are_found(aws: Aws, fsx: Stubber) -> None:
    """Page by page; a task that is only beginning counts nothing yet."""
    filters = {"Filters": [{"Name": "file-system-id", "Values": [FILE_SYSTEM]}]}
    bare = {name: each for name, each in _answer("PENDING").items() if name not in ("Status", "Paths")}
    pages: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"DataRepositoryTasks": [bare], "NextToken": "x"}, filters),
        ({"DataRepositoryTasks": [_answer("SUCCEEDED", 1500)]}, {**filters, "NextToken": "x"}),
    ]
    for answer, asked in pages:
        fsx.add_response("describe_data_repository_tasks", answer, asked)
    first, second = aws.data_repository_tasks.of_file_system(FILE_SYSTEM)
    assert first == DataRepositoryTask(
        task_id="task-0123456789abcdef0",
        task_type="RELEASE_DATA_FROM_FILESYSTEM",
        lifecycle="PENDING",
        created=datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC),
        paths=(),
        total_files=0,
        succeeded_files=0,
        failed_files=0,
    )
    assert (first.is_over, second.is_over, second.succeeded_files) == (False, True, 1500)


def test_who_may_not_look_at_tasks_is_told_of_none(aws: Aws, fsx: Stubber) -> None:
    """A preload goes on without what it would compare; another failure is none to hide."""
    fsx.add_client_error("describe_data_repository_tasks", "AccessDeniedException", "no", http_status_code=400)
    assert tasks.imports_of(aws, FILE_SYSTEM) is None
    fsx.add_client_error("describe_data_repository_tasks", "BadRequest", "no")
    with pytest.raises(AwsError, match="BadRequest"):
        tasks.imports_of(aws, FILE_SYSTEM)


def test_an_import_at_work_is_awaited_before_a_preload(aws: Aws, fsx: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not imported cannot be read; tasks of other kinds are nobody's business here."""
    monkeypatch.setattr(tasks.until_over, "__defaults__", (lambda _seconds: None,))
    filters = {"Filters": [{"Name": "file-system-id", "Values": [FILE_SYSTEM]}]}
    at_work, over = (
        _answer(lifecycle, 1000, Type="IMPORT_METADATA_FROM_REPOSITORY") for lifecycle in ("EXECUTING", "SUCCEEDED")
    )
    listed = {"DataRepositoryTasks": [_answer("EXECUTING"), at_work]}
    fsx.add_response("describe_data_repository_tasks", listed, filters)
    for each in (at_work, over):
        asked = {"TaskIds": ["task-0123456789abcdef0"]}
        fsx.add_response("describe_data_repository_tasks", {"DataRepositoryTasks": [each]}, asked)
    fsx.add_response("describe_data_repository_tasks", {"DataRepositoryTasks": [over]}, filters)
    job = training_job(WANTED, PLATFORM, SOME, NOW)
    prepared = PreparedPreload(
        wanted=WANTED,
        plan=plan(job, PLATFORM),
        links=PLATFORM.lustre.links if PLATFORM.lustre else (),
        contents=SOME,
        findings=(),
    )
    told: list[tuple[str, int]] = []
    imports = await_imports(prepared, aws, lambda *what: told.append(what))
    assert imports is not None
    assert [each.lifecycle for each in imports] == ["SUCCEEDED"]
    assert told == [("files imported by task-0123456789abcdef0", 1000)] * 2
    fsx.assert_no_pending_responses()


@pytest.mark.parametrize(("counted", "is_right"), [(10, True), (11, False)])
def test_the_count_of_the_import_is_compared_as_well(counted: int, is_right: bool) -> None:
    """A file that was imported and not loaded, or the other way round, is an error with the figures."""
    contents = replace(SOME, newest=NOW)
    prepared = PreparedPreload(
        wanted=WANTED,
        plan=plan(training_job(WANTED, PLATFORM, contents, NOW), PLATFORM),
        links=PLATFORM.lustre.links if PLATFORM.lustre else (),
        contents=contents,
        findings=(),
    )
    metrics = {"loaded_files_e6": 0, "loaded_files_e0": 10}
    metrics |= {"loaded_bytes_e12": 0, "loaded_bytes_e6": 5368, "loaded_bytes_e0": 709_120}
    job = JobDescription(
        name="x", arn="arn:x", status="Completed", secondary_status="Completed", created=NOW, metrics=metrics
    )
    task = DataRepositoryTask(
        task_id="task-01",
        task_type="IMPORT_METADATA_FROM_REPOSITORY",
        lifecycle="SUCCEEDED",
        created=NOW,
        paths=(),
        total_files=counted,
        succeeded_files=counted,
        failed_files=0,
    )
    if is_right:
        assert result_of(prepared, job, [task]).import_task_id == "task-01"
        assert result_of(prepared, job, None).import_task_id is None
    else:
        with pytest.raises(CountsDiffer, match=r"has 10 files .* allowed: the 11 files that its import task"):
            result_of(prepared, job, [task])


def test_a_preload_that_fails_is_an_error_with_its_reason() -> None:
    """On one line."""
    prepared = PreparedPreload(
        wanted=WANTED,
        plan=plan(training_job(WANTED, PLATFORM, SOME, NOW), PLATFORM),
        links=(),
        contents=SOME,
        findings=(),
    )
    job = JobDescription(
        name="x",
        arn="arn:x",
        status="Failed",
        secondary_status="Failed",
        created=NOW,
        metrics={},
        failure_reason="AlgorithmError: stalled\nfor ever",
    )
    with pytest.raises(JobFailed, match="x: Failed: AlgorithmError: stalled for ever"):
        result_of(prepared, job)


def test_people_may_do_what_the_commands_call_and_no_more() -> None:
    """Release on this file system; looking at tasks names none."""
    arn = f"arn:aws:fsx:us-east-1:123456789012:file-system/{FILE_SYSTEM}"
    place = Place(partition="aws", region="us-east-1", account="123456789012")
    (release,) = release_room(place, FILE_SYSTEM)
    assert release.actions == ("fsx:CreateDataRepositoryTask",)
    assert release.resources == (arn, "arn:aws:fsx:us-east-1:123456789012:task/*")
    (follow,) = follow_lustre_tasks()
    assert (follow.actions, follow.resources) == (("fsx:DescribeDataRepositoryTasks",), ("*",))
