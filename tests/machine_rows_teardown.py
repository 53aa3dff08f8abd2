"""Rows of the teardown: whose file systems, who uses them, what runs on them."""

from __future__ import annotations

from typing import Any

from tests.machine_rows import (
    AT_START,
    LATER,
    MOUNTED,
    OF_OTHERS,
    SHARED,
    Row,
    teardown,
)
from tests.machine_samples import (
    HOUR,
    LUSTRE_ID,
    OWNER,
    START,
    Record,
    file_system,
    job,
    s3_channel,
    tags,
)


def _queue(expected: list[str], *found: Record, **sees: Any) -> Row:
    given = {"owner": OWNER, "wanted": None, "from": START, "until": START + HOUR, "queue": [], **sees}
    return teardown("FindFileSystems", "Assign.queue", expected, result={"FileSystems": list(found)}, **given)


def _failures(expected: list[str], *found: Record, **sees: Any) -> Row:
    given = {"owner": OWNER, "jobName": "a-job", "wanted": None, "from": START, "until": START + HOUR, **sees}
    texts = [
        f"{each} has lost the tag of its platform or of its owner: look at it, and delete it yourself"
        for each in expected
    ]
    return teardown(
        "FindFileSystems", "Assign.failures", texts, result={"FileSystems": list(found)}, failures=[], **given
    )


OTHER = "fs-0fffffffffffffff0"
BY_ID = {"owner": None, "wanted": LUSTRE_ID, "from": None, "until": None}
TEARDOWN = [
    teardown("Begin", "Assign.looksNeeded", 2, input={"Owner": OWNER}),
    teardown("Begin", "Assign.looksNeeded", 1, input={"Settled": True}),
    teardown("Begin", "Assign.wanted", None, input={"Owner": OWNER}),
    teardown("Begin", "Assign.stopJobs", False, input={"StopJobs": False}),
    teardown("Begin", "Assign.jobName", OWNER.rpartition(":")[2], input={"Owner": OWNER}),
    teardown(
        "DescribeOwner", "Assign", {"from": START - 600_000, "until": START + 4_200_000}, result={"StartDate": AT_START}
    ),
    teardown(
        "DescribeOwner",
        "Assign.until",
        START + 600_123,
        result={"StartDate": AT_START, "StopDate": "2026-11-26T10:15:00.123Z"},
    ),
    _queue([]),
    _queue([LUSTRE_ID], file_system()),
    _queue([OTHER, LUSTRE_ID, LUSTRE_ID], file_system(), file_system(), queue=[OTHER]),
    _queue([], *OF_OTHERS[1:]),
    _queue([], file_system(CreationTime="2026-11-26T10:14:59Z"), file_system(CreationTime=LATER)),
    _queue([LUSTRE_ID], file_system(CreationTime=LATER), until=None),
    _queue([], file_system(Tags=tags(platform="dev", owner=f"{OWNER}-2"))),
    _queue([LUSTRE_ID], file_system(), file_system(FileSystemId=OTHER), wanted=LUSTRE_ID),
    # what has lost a tag is told of, never touched
    _failures([], file_system(), file_system(Tags=tags(platform="dev", owner=f"{OWNER}-2"))),
    _failures([], file_system(Tags=tags(platform="prod", owner=OWNER)), owner=None),
    _failures([LUSTRE_ID], file_system(Tags=tags(platform="prod", owner=OWNER))),
    _failures([LUSTRE_ID], file_system(Tags=tags(owner=OWNER)), file_system(Tags=tags(owner=OWNER))),
    _failures([LUSTRE_ID], file_system(Tags=tags(platform="dev", job="a-job"))),
    _failures([LUSTRE_ID], file_system(Tags=[]), wanted=LUSTRE_ID),
    _failures([], file_system(Tags=tags(owner=OWNER), CreationTime=LATER)),
    _failures([], file_system(Tags=tags(owner=OWNER), Lifecycle="DELETING")),
    _queue([LUSTRE_ID], file_system(), file_system(FileSystemId=OTHER), **BY_ID),
    _queue([], *(file_system(**{**each, "Lifecycle": "AVAILABLE"}) for each in OF_OTHERS[3:]), **BY_ID),
    teardown("TakeNext", "Choices[0].Assign.fileSystemId", "a", queue=["a"]),
    teardown("TakeNext", "Choices[0].Assign.queue", [], queue=["a"]),
    teardown("TakeNext", "Choices[0].Assign.queue", ["b"], queue=["a", "b"]),
    teardown("TakeNext", "Choices[0].Assign.queue", ["b", "c"], queue=["a", "b", "c"]),
    teardown("Look", "Catch[0].Assign.deleted", ["a"], deleted=[], fileSystemId="a"),
    teardown(
        "WhatToDo",
        "Choices[0].Assign.failures",
        ["f is X after two hours; e"],
        input={"Lifecycle": "X"},
        failures=[],
        fileSystemId="f",
        lastError="e",
    ),
    teardown(
        "ListJobs",
        "Arguments",
        {"StatusEquals": "Stopping", "MaxResults": 100, "CreationTimeAfter": "2026-11-26T10:00:00.000Z"},
        status="Stopping",
        page=None,
        madeAt="2026-11-26T10:00:00.000Z",
    ),
    teardown("ListJobs", "Output.Names", [], result={"TrainingJobSummaries": []}),
    teardown("ListJobs", "Output.Names", ["a"], result={"TrainingJobSummaries": [{"TrainingJobName": "a"}]}),
    teardown(
        "ListJobs",
        "Output.Names",
        ["a", "b"],
        result={"TrainingJobSummaries": [{"TrainingJobName": "a"}, {"TrainingJobName": "b"}]},
    ),
    teardown("ListJobs", "Catch[0].Assign.lastError", "States.Timeout: ", errorOutput={"Error": "States.Timeout"}),
    teardown(
        "DescribeJobs/DescribeJob",
        "Output",
        {"Name": "a", "Uses": True, "MayBeStopped": True},
        input="a",
        result=job(),
        fileSystemId=LUSTRE_ID,
    ),
    teardown(
        "DescribeJobs/DescribeJob",
        "Output.Uses",
        True,
        result=job("Stopping", InputDataConfig=[SHARED, MOUNTED]),
        fileSystemId=LUSTRE_ID,
    ),
    teardown("DescribeJobs/DescribeJob", "Output.Uses", False, result=job("Completed"), fileSystemId=LUSTRE_ID),
    teardown(
        "DescribeJobs/DescribeJob", "Output.Uses", False, result=job(InputDataConfig=None), fileSystemId=LUSTRE_ID
    ),
    teardown(
        "DescribeJobs/DescribeJob",
        "Output.Uses",
        False,
        result=job(InputDataConfig=[s3_channel(), SHARED]),
        fileSystemId=LUSTRE_ID,
    ),
    teardown("DescribeJobs", "Assign.users", [], result=[], users=[]),
    teardown(
        "DescribeJobs",
        "Assign.users",
        [{"Name": "a", "Uses": True}],
        result=[{"Name": "a", "Uses": True}, {"Uses": False}],
        users=[],
    ),
    teardown(
        "DescribeJobs", "Assign.users", [{"Name": "b"}, {"Uses": True}], result=[{"Uses": True}], users=[{"Name": "b"}]
    ),
    teardown(
        "AreAllJobsSeen",
        "Choices[2].Assign.failures",
        ["f is used by a"],
        users=[{"Name": "a"}],
        failures=[],
        fileSystemId="f",
    ),
    teardown(
        "AreAllJobsSeen",
        "Choices[2].Assign.failures",
        ["e", "f is used by a, b"],
        users=[{"Name": "a"}, {"Name": "b"}],
        failures=["e"],
        fileSystemId="f",
    ),
    teardown("StopJobs", "Items", [], users=[{"Name": "a", "MayBeStopped": False}]),
    teardown(
        "StopJobs", "Items", ["b"], users=[{"Name": "a", "MayBeStopped": False}, {"Name": "b", "MayBeStopped": True}]
    ),
    teardown("ListTasks", "Output.Tasks", [], result={"DataRepositoryTasks": []}),
    teardown(
        "ListTasks",
        "Output.Tasks",
        [{"Id": "t", "Lifecycle": "PENDING"}],
        result={"DataRepositoryTasks": [{"TaskId": "t", "Lifecycle": "PENDING"}]},
    ),
    teardown("CancelTasks", "Items", [], input={"Tasks": [{"Id": "t", "Lifecycle": "CANCELING"}]}),
    teardown(
        "CancelTasks",
        "Items",
        ["u"],
        input={"Tasks": [{"Id": "t", "Lifecycle": "CANCELING"}, {"Id": "u", "Lifecycle": "EXECUTING"}]},
    ),
    teardown("NotDeleted", "Cause", "a", failures=["a"]),
    teardown("NotDeleted", "Cause", "a; b", failures=["a", "b"]),
]


ROWS = TEARDOWN
