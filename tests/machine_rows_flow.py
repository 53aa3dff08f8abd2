"""Rows of the flow: its input, the cap, the stages of its work, the ends."""

from __future__ import annotations

from typing import Any

from tests.machine_rows import (
    FAILS,
    MOUNTED,
    OF_OTHERS,
    SHARED,
    Row,
    execution,
    flow,
)
from tests.machine_samples import (
    HOUR,
    LUSTRE_ID,
    OWNER,
    START,
    SUBNET,
    Record,
    file_system,
    flow_input,
    job,
    link,
    lustre,
    lustre_channel,
    metric,
    request,
    s3_channel,
    without,
)


def _invalid(given: Record, expected: bool = True) -> Row:
    return flow("IsWithinLimits", "Choices[0].Condition", expected, input=given)


def _training(*channels: Record, **more: Any) -> Record:
    return {"Training": {"Request": request(*channels, **more), "CapacityAttempts": 1}}


BEGIN = [
    flow("Begin", "Assign.ready", START + 1804_000, input=flow_input(), context=execution()),
    flow(
        "Begin",
        "Assign.ready",
        START + 1804_123,
        input=flow_input(),
        context=execution(None, "2026-11-26T10:15:00.123Z"),
    ),
    flow("Begin", "Assign.expires", START + 10 * HOUR, input=flow_input(), context=execution()),
    flow("Begin", "Assign.expires", FAILS, input=lustre(LifetimeSeconds=None), context=execution()),
    flow("Begin", "Assign.pollSeconds", 30, input=flow_input()),
    flow("Begin", "Assign.pollSeconds", 360, input=lustre(LifetimeSeconds=604_800)),
]
LIMITS = [
    _invalid(flow_input(), False),
    _invalid(flow_input(Training=None), False),
    _invalid(flow_input(Preload={"Request": request(lustre_channel("/"))}), False),
    _invalid(flow_input(**_training(s3_channel(), lustre_channel("/data"))), False),
    _invalid(flow_input(**lustre(Links=[link("/a"), link("/b")])), False),
    _invalid(flow_input(Schema=2)),
    _invalid(without(flow_input(), "JobName")),
    _invalid(flow_input(JobName="j" * 51)),
    _invalid(flow_input(**lustre(Links=[]))),
    _invalid(flow_input(**lustre(Links=[link(f"/{n}") for n in range(9)]))),
    _invalid(flow_input(**lustre(SubnetId="subnet-of-another-network"))),
    _invalid(flow_input(**lustre(ReadySeconds=36_001))),
    _invalid(flow_input(Lustre=without(flow_input()["Lustre"], "StorageCapacity"))),
    # what mounts nothing of the file system is not found by the teardown
    _invalid(flow_input(**_training(s3_channel()))),
    _invalid(flow_input(**_training(lustre_channel("/data", LUSTRE_ID)))),
    _invalid(flow_input(Training={"Request": {"RoleArn": "role"}, "CapacityAttempts": 1})),
    _invalid(flow_input(Preload={"Request": request()})),
    flow("IsWithinLimits", "Choices[1].Condition", False, input=flow_input()),
    flow("IsWithinLimits", "Choices[1].Condition", True, input=lustre(LifetimeSeconds=86_401)),
]
CAP = [
    flow("CountLive", "Arguments", {"MaxResults": 10}, page=None),
    flow("CountLive", "Arguments", {"MaxResults": 10, "NextToken": "t"}, page="t"),
    flow("CountLive", "Assign.page", None, result={"FileSystems": []}),
    flow("CountLive", "Assign.page", "t", result={"FileSystems": [], "NextToken": "t"}),
    *(
        row
        for found, count in (([], 0), ([file_system()], 1), ([file_system(), *OF_OTHERS, file_system()], 2))
        for row in (
            flow("CountLive", "Assign.live", 1 + count, result={"FileSystems": found}, live=1),
            flow("CountLive", "Assign.liveGib", 2400 + 1200 * count, result={"FileSystems": found}, liveGib=2400),
        )
    ),
    flow("IsBelowCap", "Choices[2].Condition", False, input=flow_input(), live=3, liveGib=8400),
    flow("IsBelowCap", "Choices[2].Condition", True, input=flow_input(), live=4, liveGib=0),
    flow("IsBelowCap", "Choices[2].Condition", True, input=flow_input(), live=1, liveGib=8401),
    flow("CreateFileSystem", "Arguments.Tags[3].Value", "2026-11-26T10:15:00.000Z", expires=START),
]
LINKS = {"Lustre": {"Links": [link("/a"), link("/b")]}}
CREATING = file_system(Lifecycle="CREATING", LustreConfiguration={"DeploymentType": "SCRATCH_2"})
FAILED = file_system(Lifecycle="FAILED", FailureDetails={"Message": "insufficient capacity"})
WORK = [
    flow("Work/DescribeFileSystem", "Assign.mountName", "abcdefgh", result={"FileSystems": [file_system()]}),
    flow("Work/DescribeFileSystem", "Assign.mountName", None, result={"FileSystems": [CREATING]}),
    flow(
        "Work/DescribeFileSystem",
        "Output",
        {"Lifecycle": "CREATING", "Message": "", "Late": False},
        result={"FileSystems": [CREATING]},
        context=execution(entered="2026-11-26T10:15:00.123Z"),
        ready=START + 123,
    ),
    flow(
        "Work/DescribeFileSystem",
        "Output",
        {"Lifecycle": "FAILED", "Message": "insufficient capacity", "Late": True},
        result={"FileSystems": [FAILED]},
        context=execution(),
        ready=START - 1,
    ),
    flow("Work/IsFileSystemReady", "Choices[0].Condition", True, input={"Lifecycle": "AVAILABLE"}, mountName="x"),
    flow("Work/IsFileSystemReady", "Choices[0].Condition", False, input={"Lifecycle": "AVAILABLE"}, mountName=None),
    flow("Work/CreateLink", "Arguments.FileSystemPath", "/data", context=execution(), linkIndex=0),
    flow("Work/CreateLink", "Arguments.FileSystemPath", "/b", context=execution(LINKS), linkIndex=1),
    flow("Work/CreateLink", "Arguments.FileSystemPath", FAILS, context=execution(), linkIndex=1),
    flow("Work/CreateLink", "Arguments.ClientRequestToken", "t-link-1", token="t", linkIndex=1),
    flow(
        "Work/IsLinkReady",
        "Choices[0].Condition",
        True,
        input={"Lifecycle": "AVAILABLE"},
        context=execution(LINKS),
        linkIndex=0,
    ),
    flow(
        "Work/IsLinkReady",
        "Choices[0].Condition",
        False,
        input={"Lifecycle": "AVAILABLE"},
        context=execution(LINKS),
        linkIndex=1,
    ),
    flow(
        "Work/IsLinkReady",
        "Choices[0].Condition",
        False,
        input={"Lifecycle": "AVAILABLE"},
        context=execution(),
        linkIndex=0,
    ),
    flow("Work/DescribeImport", "Assign.imported", 0, result={"DataRepositoryTasks": [{"Lifecycle": "PENDING"}]}),
    flow(
        "Work/DescribeImport", "Assign.imported", 7, result={"DataRepositoryTasks": [{"Status": {"SucceededCount": 7}}]}
    ),
    flow("Work/DescribeImport", "Output.Failed", 0, result={"DataRepositoryTasks": [{"Lifecycle": "PENDING"}]}),
    flow("Work/IsImported", "Choices[0].Condition", False, input={"Lifecycle": "SUCCEEDED", "Failed": 0}, imported=0),
    flow("Work/IsImported", "Choices[0].Condition", False, input={"Lifecycle": "SUCCEEDED", "Failed": 1}, imported=7),
    flow("Work/IsImported", "Choices[0].Condition", True, input={"Lifecycle": "SUCCEEDED", "Failed": 0}, imported=7),
    flow("Work/WhatIsNext", "Choices[0].Condition", False, context=execution()),
    flow("Work/WhatIsNext", "Choices[1].Condition", True, context=execution()),
    flow("Work/WhatIsNext", "Choices[1].Condition", False, context=execution(flow_input(Training=None))),
    flow("Work/Hold", "Timestamp", "2026-11-26T10:15:00.123Z", expires=START + 123),
    flow(
        "Work/WaitForCapacity",
        "Assign",
        {"attempt": 2, "jobName": "digits-2"},
        context=execution(),
        stage="training",
        attempt=1,
    ),
    flow("Work/WaitForCapacity", "Assign.jobName", "digits-preload-2", context=execution(), stage="preload", attempt=1),
    flow(
        "Work",
        "Assign.result",
        {"FileSystemId": "fs-1", "TrainingJobName": None, "ImportedFiles": 7},
        result=[{"TrainingJobName": None, "ImportedFiles": 7}],
        fileSystemId="fs-1",
    ),
    flow("Work", "Assign.settled", False, result=[{"TrainingJobName": None, "ImportedFiles": 7}]),
    flow("Work", "Assign.settled", True, result=[{"TrainingJobName": "digits", "ImportedFiles": 7}]),
    flow("Work", "Catch[0].Assign.settled", True, errorOutput={"Error": "Ephemeral.TrainingFailed", "Cause": ""}),
    flow("Work", "Catch[0].Assign.settled", False, errorOutput={"Error": "States.Timeout"}),
]
ADDED_TAGS = [{"Key": "headrace:owner", "Value": OWNER}, {"Key": "headrace:file-system", "Value": LUSTRE_ID}]


def _created(
    given: Record, expected_channels: list[Record], expected_tags: list[Record], stage: str = "training"
) -> Row:
    """What CreateJob asks for, given the request of a stage."""
    other = None if stage == "training" else {"Request": given}
    input_ = flow_input(Training={"Request": given, "CapacityAttempts": 1}, Preload=other)
    expected = {
        **given,
        "TrainingJobName": "digits-2",
        "VpcConfig": {"Subnets": [SUBNET], "SecurityGroupIds": ["sg-0123456789abcdef1"]},
        "Tags": expected_tags,
        "InputDataConfig": expected_channels,
    }
    sees = {"owner": OWNER, "fileSystemId": LUSTRE_ID, "mountName": "abcdefgh", "jobName": "digits-2", "stage": stage}
    return flow("Work/CreateJob", "Arguments", expected, context=execution(input_), **sees)


OUR_TAG = {"Key": "team", "Value": "vision"}
JOBS = [
    _created(request(lustre_channel("/data")), [MOUNTED], ADDED_TAGS),
    _created(request(lustre_channel("/data")), [MOUNTED], ADDED_TAGS, "preload"),
    _created(request(lustre_channel("/")), [lustre_channel("/abcdefgh", LUSTRE_ID)], ADDED_TAGS),
    _created(request(lustre_channel("/data"), Tags=[OUR_TAG]), [MOUNTED], [OUR_TAG, *ADDED_TAGS]),
    _created(request(lustre_channel("/data"), Tags=[]), [MOUNTED], ADDED_TAGS),
    _created(
        request(s3_channel(), lustre_channel("/data"), SHARED, Tags=[OUR_TAG, OUR_TAG]),
        [s3_channel(), MOUNTED, SHARED],
        [OUR_TAG, OUR_TAG, *ADDED_TAGS],
    ),
    flow("Work/DescribeJob", "Output.IsOurs", True, result=job(), fileSystemId=LUSTRE_ID),
    flow(
        "Work/DescribeJob",
        "Output.IsOurs",
        True,
        result=job(InputDataConfig=[s3_channel(), MOUNTED]),
        fileSystemId=LUSTRE_ID,
    ),
    flow(
        "Work/DescribeJob", "Output.IsOurs", False, result=job(InputDataConfig=[s3_channel()]), fileSystemId=LUSTRE_ID
    ),
    flow("Work/DescribeJob", "Output.IsOurs", False, result=job(InputDataConfig=None), fileSystemId=LUSTRE_ID),
    flow("Work/DescribeJob", "Output.Reason", "InProgress", result=job()),
    flow("Work/DescribeJob", "Output.Reason", "CapacityError: no", result=job(FailureReason="CapacityError: no")),
    flow("Work/DescribeJob", "Output.Loaded", 0, result=job()),
    flow("Work/DescribeJob", "Output.Loaded", 0, result=job(FinalMetricDataList=[])),
    flow("Work/DescribeJob", "Output.Loaded", 7, result=job(FinalMetricDataList=[metric("loaded_files_e0", 7.0)])),
    flow(
        "Work/DescribeJob",
        "Output.Loaded",
        16_777_217,
        result=job(FinalMetricDataList=[metric("loaded_files_e6", 16), metric("loaded_files_e0", 777_217)]),
    ),
    flow(
        "Work/DescribeJob",
        "Output.Unreadable",
        2,
        result=job(FinalMetricDataList=[metric("loaded_files_e0", 7), metric("failed_files", 2)]),
    ),
    flow(
        "Work/JudgeJob",
        "Choices[7].Condition",
        True,
        input={"Status": "Failed", "Reason": "CapacityError: Unable to provision"},
    ),
    flow(
        "Work/JudgeJob",
        "Choices[7].Condition",
        False,
        input={"Status": "Failed", "Reason": "AlgorithmError: CapacityError"},
    ),
    flow("Work/JudgeJob", "Choices[7].Condition", False, input={"Status": "InProgress", "Reason": "Starting"}),
    flow(
        "Work/MayTryAgain",
        "Choices[0].Condition",
        True,
        context=execution(),
        stage="training",
        attempt=2,
        expires=START + 240_001,
    ),
    flow(
        "Work/MayTryAgain",
        "Choices[0].Condition",
        False,
        context=execution(),
        stage="training",
        attempt=3,
        expires=START + HOUR,
    ),
    flow(
        "Work/MayTryAgain",
        "Choices[0].Condition",
        False,
        context=execution(),
        stage="training",
        attempt=1,
        expires=START + 120_000,
    ),
    flow(
        "Work/MayTryAgain",
        "Choices[0].Condition",
        False,
        context=execution(),
        stage="preload",
        attempt=2,
        expires=START + HOUR,
    ),
]
TOKEN_ARN = "arn:aws:states:us-east-1:123456789012:execution:headrace-dev-teardown:end-t"
ENDS = [
    flow(
        "StartTeardown", "Arguments.Input", '{"Owner":"o","FromOwner":true,"Settled":false}', owner="o", settled=False
    ),
    flow("DescribeTeardown", "Arguments.ExecutionArn", TOKEN_ARN, token="t"),
    flow("DescribeTeardown", "Output", {"Status": "RUNNING", "Cause": ""}, result={"Status": "RUNNING"}),
    *(
        flow("Raise", "Error", raised, failure={"Error": caught, "Cause": "why"})
        for caught, raised in (
            ("States.Timeout", "Ephemeral.Timeout"),
            ("States.QueryEvaluationError", "Ephemeral.QueryEvaluationError"),
            ("FSx.FSxException", "FSx.FSxException"),
            ("Ephemeral.TrainingFailed", "Ephemeral.TrainingFailed"),
        )
    ),
    flow("Raise", "Cause", "", failure={"Error": "States.Timeout"}),
    flow("NotDeleted", "Cause", "the teardown is FAILED: x", input={"Status": "FAILED", "Cause": "x"}, failure=None),
    flow(
        "NotDeleted",
        "Cause",
        "the teardown is FAILED: x; it followed E: ",
        input={"Status": "FAILED", "Cause": "x"},
        failure={"Error": "E"},
    ),
]


ROWS = [*BEGIN, *LIMITS, *CAP, *WORK, *JOBS, *ENDS]
