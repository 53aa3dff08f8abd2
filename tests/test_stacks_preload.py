"""The setting ``lustre.preload``: off by default, what it adds, what it asks of SageMaker, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from headrace.errors import InvalidInput
from headrace.figures.lustre_content import content_mb_per_second, instance_for, readers_for
from headrace.preload.job import UNLISTED_RUNTIME_SECONDS, UNLISTED_STALL_SECONDS
from headrace.service_model import violations

from stacks.composition import Target, compose
from stacks.names import illegal_names, with_legal_names
from stacks.settings import (
    AlarmSettings,
    EnvironmentSettings,
    EphemeralSettings,
    LinkSettings,
    PreloadSettings,
    settings_of,
)
from tests.conftest import ROOT
from tests.test_stacks import CLI_LIMIT_BYTES, _as_sent

ON = PreloadSettings(image="digits:1")
STAND_INS = {
    "LustreFileSystem": "fs-0123456789abcdef0",
    "LustreMountName": "abcdefgh",
    "AWS::AccountId": "123456789012",
    "FileSystemsRoleArn": "arn:aws:iam::123456789012:role/headrace-file-systems",
    "JobGroup": "sg-0123456789abcdef0",
    "DatasetBucket": "lake-bucket",
    "Subnet": "subnet-0123456789abcdef0",
    "FnGetAttKey": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000",
}
"""What a reference's name holds -> what a deployment puts there."""


@cache
def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def _settings(environment: str = "dev", preload: PreloadSettings | None = ON, **lustre: Any) -> EnvironmentSettings:
    settings = settings_of(_context()["headrace"], environment)
    return replace(settings, lustre=replace(settings.lustre, preload=preload, **lustre))


def _templates(settings: EnvironmentSettings, environment: str = "dev") -> dict[str, Template]:
    stacks = compose(App(context=_context()), Target(environment=environment), settings)
    return {stack.stack_name.rsplit("-", 1)[-1]: Template.from_stack(stack) for stack in stacks}


def _filled(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    ((_, argument),) = piece.items()
    name = argument if isinstance(argument, str) else argument[-1]
    (value,) = (value for key, value in STAND_INS.items() if key in name)
    return value


def _given(template: Template) -> dict[str, Any]:
    """What the machine is given, with a stand-in for each value of the deployment."""
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine").values()
    text = "".join(map(_filled, machine["Properties"]["DefinitionString"]["Fn::Join"][1]))
    given: dict[str, Any] = json.loads(text)["States"]["Begin"]["Assign"]["given"]
    return given


def test_it_is_off_by_default() -> None:
    """No machine and no rule."""
    template = _templates(_settings(preload=None))["lustre"]
    for kind in ("AWS::StepFunctions::StateMachine", "AWS::Events::Rule", "AWS::IAM::Role"):
        assert not template.find_resources(kind)


def test_off_it_costs_no_import() -> None:
    """Synth is quick: what it needs of the job side is imported only where it is on."""
    code = "import app, sys; app.main(); print([each for each in sys.modules if each.startswith('headrace.preload')])"
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(_context()), "CDK_VALIDATION": "false"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize(("environment", "expected"), [("dev", None), ("prod", 125)])
def test_the_record_says_how_fast_a_persistent_file_system_is(environment: str, expected: int | None) -> None:
    """By that a preload chooses its instance; a scratch file system has but one throughput."""
    (parameter,) = (
        _templates(_settings(environment), environment)["lustre"].find_resources("AWS::SSM::Parameter").values()
    )
    text = "".join(each if isinstance(each, str) else "x" for each in parameter["Properties"]["Value"]["Fn::Join"][1])
    assert json.loads(text).get("per_unit_storage_throughput_mbps_per_tib") == expected


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_request_is_one_that_sagemaker_takes(environment: str) -> None:
    """All links, read-only, in the platform's network, with its role for file systems and its tag."""
    settings = _settings(environment)
    given = _given(_templates(settings, environment)["lustre"])
    request = given["Request"]
    assert violations("sagemaker", "CreateTrainingJob", request) == []
    assert (given["FileSystemId"], given["Links"]) == (STAND_INS["LustreFileSystem"], ["data"])
    assert given["JobName"] == request["TrainingJobName"] == f"{environment}-preload"
    (channel,) = request["InputDataConfig"]
    assert channel["ChannelName"] == "data"
    assert channel["DataSource"]["FileSystemDataSource"] == {
        "FileSystemId": STAND_INS["LustreFileSystem"],
        "FileSystemAccessMode": "ro",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/abcdefgh/data",
    }
    assert request["AlgorithmSpecification"]["TrainingImage"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:1"
    assert request["RoleArn"] == STAND_INS["FileSystemsRoleArn"]
    assert request["VpcConfig"] == {"Subnets": [STAND_INS["Subnet"]], "SecurityGroupIds": [STAND_INS["JobGroup"]]}
    assert {"Key": "headrace:platform", "Value": environment} in request["Tags"]
    capacity = settings.lustre.storage_capacity_gib or 4800
    content = content_mb_per_second(capacity, settings.lustre.per_unit_storage_throughput_mbps_per_tib)
    assert request["ResourceConfig"]["InstanceType"] == instance_for(content).name
    assert request["Environment"]["PRELOAD_READERS"] == str(readers_for(content))
    assert request["Environment"]["PRELOAD_STALL_SECONDS"] == str(UNLISTED_STALL_SECONDS)
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": UNLISTED_RUNTIME_SECONDS}
    assert request["OutputDataConfig"].get("KmsKeyId") == (STAND_INS["FnGetAttKey"] if environment == "prod" else None)


def test_instance_and_readers_may_be_chosen() -> None:
    """And an image by its full URI."""
    image = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/preload:2"
    preload = PreloadSettings(image=image, instance_type="ml.c5n.large", readers=3)
    request = _given(_templates(_settings(preload=preload))["lustre"])["Request"]
    assert request["AlgorithmSpecification"]["TrainingImage"] == image
    assert request["ResourceConfig"]["InstanceType"] == "ml.c5n.large"
    assert request["Environment"]["PRELOAD_READERS"] == "3"


def test_the_largest_template_is_sent_without_a_bucket() -> None:
    """Eight links and alarms: still below 50 KiB."""
    names = [f"data-set-number-{number}" for number in range(8)]
    events: Any = ("NEW", "CHANGED", "DELETED")
    links = tuple(
        LinkSettings(name=each, path=f"/data/{each}", prefix=f"data/{each}/", auto_import_events=events)
        for each in names
    )
    settings = replace(_settings("prod", links=links), alarms=AlarmSettings(emails=("a@b.example",)))
    template = _templates(settings, "prod")["lustre"]
    assert len(_as_sent(template)) < CLI_LIMIT_BYTES
    assert _given(template)["Links"] == names


def test_its_stack_imports_what_is_exported_whether_it_is_on_or_off() -> None:
    """Else the foundation, which is updated first, would take an export away when the setting is switched off."""
    without_flow = {"ephemeral": EphemeralSettings(enabled=False)}
    found = []
    for preload in (ON, None):
        templates = _templates(replace(_settings(preload=preload), **without_flow))
        outputs = templates["foundation"].find_outputs("*").values()
        found.append({each["Export"]["Name"] for each in outputs if "Export" in each})
    assert found[0] == found[1]
    assert {f"headrace-dev-foundation-{each}" for each in ("JobGroup", "FileSystemsRoleArn")} <= found[0]
    assert "headrace-dev-foundation-BothRoleArn" not in found[0]


def test_a_failure_is_told_where_people_are_told() -> None:
    """By the stack's own topic, one for all its alarms; also where the idle alarm is switched off."""
    settings = replace(_settings(idle_alarm_hours=None), alarms=AlarmSettings(emails=("a@b.example",)))
    template = _templates(settings)["lustre"]
    assert len(template.find_resources("AWS::SNS::Topic")) == 1
    template.all_resources_properties(
        "AWS::CloudWatch::Alarm", {"AlarmActions": [{"Ref": Match.string_like_regexp("^AlarmTopic")}]}
    )
    assert len(template.find_resources("AWS::CloudWatch::Alarm")) == 2


def test_the_machine_is_an_output() -> None:
    """For who starts it by hand."""
    _templates(_settings())["lustre"].has_output(
        "PreloadMachineArn", {"Value": {"Ref": Match.string_like_regexp("^PreloadMachine")}}
    )


@pytest.mark.parametrize(
    ("preload", "start"),
    [
        (PreloadSettings(image=""), "lustre.preload.image is ''; "),
        (PreloadSettings(image="{% 1 %}"), "lustre.preload.image is '{% 1 %}'; "),
        (replace(ON, instance_type="m5.large"), "lustre.preload.instance_type is 'm5.large'; "),
        (replace(ON, readers=0), "lustre.preload.readers is 0; allowed: 1 to 256; "),
    ],
)
def test_mistakes_are_refused_in_one_line(preload: PreloadSettings, start: str) -> None:
    """Before anything is synthesised, with all others."""
    settings = _settings(preload=preload)
    (problem,) = illegal_names(settings, "dev")
    assert problem.startswith(start)
    assert "; fix: " in problem
    assert not list(illegal_names(with_legal_names(settings), "dev"))
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="dev"), replace(settings, region="nowhere"))
    assert [each for each in caught.value.problems if each.startswith(start)]


def test_without_links_there_is_nothing_to_load() -> None:
    """A contradiction of the settings."""
    (problem,) = illegal_names(_settings(links=()), "dev")
    assert problem.startswith("lustre.preload is given and lustre.links is empty; allowed: at least one link; ")
