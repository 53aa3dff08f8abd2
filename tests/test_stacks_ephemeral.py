"""The stacks of ephemeral Lustre: what they hang on, what they leave when they are switched off, who is told."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match, Template
from headrace.errors import InvalidInput
from headrace.platform import EphemeralPart, LustreLink
from headrace_cdk.platform_part import largest_bytes

from stacks import platform_options
from stacks.composition import Target, compose
from stacks.names import illegal_names
from stacks.settings import (
    AlarmSettings,
    EfsSettings,
    EnvironmentSettings,
    EphemeralLinkSettings,
    EphemeralSettings,
    LustreSettings,
    settings_of,
)
from tests.rights import rights_of

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
ONLY_EPHEMERAL: dict[str, Any] = {"efs": EfsSettings(enabled=False), "lustre": LustreSettings(enabled=False)}
OFF = EphemeralSettings(enabled=False)


@cache
def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return context


def _settings(environment: str = "dev", **changes: Any) -> EnvironmentSettings:
    return replace(settings_of(_context()["headrace"], environment), **changes)


def _stacks(settings: EnvironmentSettings, environment: str = "dev") -> dict[str, Stack]:
    stacks = compose(App(context=_context()), Target(environment=environment), settings)
    return {stack.stack_name.rsplit("-", 1)[-1]: stack for stack in stacks}


def _templates(settings: EnvironmentSettings, environment: str = "dev") -> dict[str, Template]:
    return {part: Template.from_stack(stack) for part, stack in _stacks(settings, environment).items()}


@cache
def _committed(environment: str = "dev") -> dict[str, Template]:
    return _templates(_settings(environment), environment)


def _exports(template: Template) -> set[str]:
    return {each["Export"]["Name"] for each in template.find_outputs("*").values() if "Export" in each}


def _imports(template: Template) -> set[str]:
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.update([value["Fn::ImportValue"]] if "Fn::ImportValue" in value else [])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(template.to_json())
    return found


def test_nothing_is_made_before_it_can_be_taken_down() -> None:
    """The flow's stack comes after the foundation and the cleanup, and so goes before them."""
    stacks = _stacks(_settings())
    assert {each.stack_name for each in stacks["ephemeral"].dependencies} == {
        "headrace-dev-foundation",
        "headrace-dev-cleanup",
    }


def test_the_cleanup_hangs_on_nothing() -> None:
    """It imports and exports nothing, so that no other stack keeps it from being there, or from staying."""
    cleanup = _committed()["cleanup"]
    assert (_imports(cleanup), _exports(cleanup)) == (set(), set())


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_the_flow_imports_is_exported(environment: str) -> None:
    """The names are the foundation's own, and it exports nothing for the flow that somebody would wait for."""
    templates = _committed(environment)
    imported = _imports(templates["ephemeral"])
    assert imported <= _exports(templates["foundation"])
    assert {f"headrace-{environment}-foundation-{each}" for each in ("JobGroup", "BothRoleArn")} <= imported
    assert _exports(templates["ephemeral"]) == set()


def test_exports_do_not_depend_on_what_the_flow_imports() -> None:
    """Other links, caps, or no shared Lustre take no export away that a deployed stack still imports."""
    elsewhere = (EphemeralLinkSettings(name="a", path="/a", prefix="data/a/"),)
    choices: list[dict[str, Any]] = [
        {},
        {"ephemeral": EphemeralSettings(links=elsewhere, max_hours=1)},
        {"lustre": LustreSettings(enabled=False)},
    ]
    exports = [_exports(_templates(_settings("prod", **each), "prod")["foundation"]) for each in choices]
    assert exports[0]
    assert all(each == exports[0] for each in exports)


def test_the_record_says_what_may_be_linked_and_spent() -> None:
    """Jobs find the three machines, the links and the cap."""
    (parameter,) = _committed()["ephemeral"].find_resources("AWS::SSM::Parameter").values()
    pieces = parameter["Properties"]["Value"]["Fn::Join"][1]
    plain = json.loads("".join(each if isinstance(each, str) else "x" for each in pieces))
    part = EphemeralPart(**{**plain, "links": tuple(LustreLink(**each) for each in plain["links"])})
    assert part.links == (LustreLink(name="data", path="/data", bucket="x", prefix="data/"),)
    assert (part.max_file_systems, part.max_gib, part.max_hours) == (2, 4800, 30)
    assert part.teardown_machine_arn == "arn:aws:states:us-east-1:x:stateMachine:headrace-dev-teardown"
    assert part.reaper_machine_arn == "arn:aws:states:us-east-1:x:stateMachine:headrace-dev-reaper"
    assert largest_bytes(parameter["Properties"]["Value"]) < 2048


def test_switched_off_it_leaves_nothing() -> None:
    """Neither stacks nor exports for them: only what loads the shared Lustre, where that is there."""
    templates = _templates(_settings(ephemeral=OFF))
    assert set(templates) == {"foundation", "lustre"}
    named = {name for name in _exports(templates["foundation"]) if "JobGroup" in name or "RoleArn" in name}
    assert named == {f"headrace-dev-foundation-{each}" for each in ("JobGroup", "FileSystemsRoleArn")}
    nothing = _templates(_settings(ephemeral=OFF, lustre=LustreSettings(enabled=False)))
    assert set(nothing) == {"foundation"}
    assert not _exports(nothing["foundation"])


def test_alone_it_has_group_and_roles() -> None:
    """Without the shared Lustre and without EFS, its file systems have a security group and its jobs their roles."""
    templates = _templates(_settings(**ONLY_EPHEMERAL))
    assert set(templates) == {"foundation", "cleanup", "ephemeral"}
    roles = templates["foundation"].find_resources("AWS::IAM::Role")
    assert [key for key in roles if key.startswith("TrainingRolesFileSystems")]
    templates["foundation"].has_resource_properties(
        "AWS::EC2::SecurityGroup", {"GroupDescription": "headrace: FSx for Lustre file systems"}
    )


def test_the_key_of_the_platform_reaches_the_flow() -> None:
    """prod's bucket is encrypted with it, and FSx asks with the flow's rights."""
    statement = {"Sid": "UseTheBucketsKeys", "Resource": {"Fn::ImportValue": Match.string_like_regexp("Key.*Arn")}}
    _committed("prod")["ephemeral"].has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}},
    )


def test_jobs_of_own_ingestion_may_mount_it() -> None:
    """Their roles may be passed by the flow, too."""
    plain = _context()["headrace"]["dev"]
    statement = {"actions": ["glue:GetTable"], "resources": ["arn:aws:glue:us-east-1:123456789012:table/a"]}
    own = {"warehouse": {"statements": [statement]}}
    settings = settings_of({"dev": {**plain, "own_ingestion": own}}, "dev")
    imported = _imports(_templates(settings)["ephemeral"])
    assert "headrace-dev-foundation-Ingestion-warehouseRoleArn" in imported


def test_mistakes_are_reported_with_all_others() -> None:
    """The caps, the links, the alarm of the shared Lustre, and a network that cannot be."""
    plain: dict[str, Any] = {
        "region": "us-east-1",
        "network": {"cidr": "10.0.0.0/8", "availability_zone_ids": ["use1-az1"]},
        "lustre": {"storage_capacity_gib": 1200, "idle_alarm_hours": 0},
        "ephemeral": {"max_hours": 1000, "links": [{"name": "code", "path": "/code", "prefix": "code/"}]},
        "alarms": {"emails": ["nobody"]},
    }
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="dev"), settings_of({"dev": plain}, "dev"))
    starts = [problem.split()[0] for problem in caught.value.problems]
    assert sorted(starts) == ["V172", "V173", "V69", "V77", "alarms.emails[0]"]


@pytest.mark.parametrize(
    ("alarms", "start"),
    [
        (AlarmSettings(emails=("nobody",)), "alarms.emails[0] is 'nobody'; "),
        (AlarmSettings(emails=("a@b.example", "c d@e.example")), "alarms.emails[1] is "),
        (AlarmSettings(topic_arn="on-call"), "alarms.topic_arn is 'on-call'; "),
        (AlarmSettings(topic_arn=f"{TOPIC}.fifo"), "alarms.topic_arn is "),
        (AlarmSettings(topic_arn=TOPIC.replace("us-east-1", "eu-west-1")), "alarms.topic_arn is "),
        (AlarmSettings(topic_arn=TOPIC, emails=("a@b.example",)), "alarms.emails is given with alarms.topic_arn; "),
    ],
)
def test_who_cannot_be_told_is_refused(alarms: AlarmSettings, start: str) -> None:
    """One line, before anything is synthesised."""
    (problem,) = illegal_names(_settings(alarms=alarms), "dev")
    assert problem.startswith(start)
    assert "; fix: " in problem


def test_a_topic_that_is_there_is_told_by_both() -> None:
    """The alarms of the teardown, the reaper and the shared Lustre act on it, and no topic is made."""
    templates = _templates(_settings(alarms=AlarmSettings(topic_arn=TOPIC)))
    for part in ("cleanup", "lustre"):
        templates[part].all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": [TOPIC]})
        assert not templates[part].find_resources("AWS::SNS::Topic")


def test_an_idle_shared_lustre_is_told() -> None:
    """No client for six hours; no value is no client."""
    _committed()["lustre"].has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/FSx",
            "MetricName": "ClientConnections",
            "Dimensions": [{"Name": "FileSystemId", "Value": {"Ref": Match.string_like_regexp("^Lustre")}}],
            "Statistic": "Maximum",
            "Period": 3600,
            "EvaluationPeriods": 6,
            "Threshold": 0,
            "ComparisonOperator": "LessThanOrEqualToThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": Match.absent(),
        },
    )


def test_people_are_told_of_an_idle_lustre_by_mail() -> None:
    """Its stack has a topic of its own then, since it is destroyed alone; null switches the alarm off."""
    lustre = LustreSettings(storage_capacity_gib=1200, idle_alarm_hours=12)
    alarms = AlarmSettings(emails=("a@b.example",))
    template = _templates(_settings(lustre=lustre, alarms=alarms))["lustre"]
    template.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "a@b.example"})
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"EvaluationPeriods": 12, "AlarmActions": [{"Ref": Match.string_like_regexp("^AlarmTopic")}]},
    )
    silent = _templates(_settings(lustre=replace(lustre, idle_alarm_hours=None), alarms=alarms))["lustre"]
    assert not silent.find_resources("AWS::CloudWatch::Alarm")
    assert not silent.find_resources("AWS::SNS::Topic")


def test_people_free_room_on_the_shared_lustre_and_on_no_other() -> None:
    """The policy goes with the file system, and names it."""
    task, file_system = "arn:aws:fsx:us-east-1:<AWS::AccountId>:task/*", "arn:aws:fsx:us-east-1:<AWS::AccountId>:"
    (actions, resources, condition) = rights_of(_committed()["lustre"], "UserPolicy")["ReleaseRoom"]
    assert (actions, condition) == (["fsx:CreateDataRepositoryTask"], None)
    assert sorted(resources) == [f"{file_system}file-system/<LustreFileSystem>", task]


def test_links_to_a_key_of_somebody_else_are_noted() -> None:
    """As for the shared Lustre: FSx has to be let in by the key's policy."""
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
    stack = _stacks(_settings(kms_key=key))["ephemeral"]
    assert Annotations.from_stack(stack).find_info("*", Match.string_like_regexp("^V24 INFO"))


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, "--platform a"),
        ({"platform": "birds"}, "--platform birds"),
        ({"region": "eu-west-1"}, "--platform a --region eu-west-1"),
        ({"region": "eu-west-1", "account": "111111111111"}, "--platform a --region eu-west-1 --account 111111111111"),
    ],
)
def test_the_makefile_looks_where_the_stacks_are(tmp_path: Path, settings: dict[str, str], options: str) -> None:
    """What the settings leave out is the shell's, for the CDK CLI as well."""
    dev = {name: value for name, value in _context()["headrace"]["dev"].items() if name not in ("region", "account")}
    plain = {"context": {"headrace": {"a": dev | {"platform": None} | settings}}}
    (tmp_path / "cdk.json").write_text(json.dumps(plain), encoding="utf-8")
    assert " ".join(platform_options.platform_options("a", tmp_path / "cdk.json")) == options


def test_the_makefile_is_told_of_mistakes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A line and exit code 2; what has a space in it would be two options."""
    assert platform_options.main(["dev"]) == 0
    assert capsys.readouterr().out.startswith("--platform dev")
    assert platform_options.main(["nowhere"]) == 2
    assert capsys.readouterr().err.startswith("env is 'nowhere'; allowed: dev, prod; ")
    assert platform_options.main([]) == 2
    plain = {"context": {"headrace": {"a": {**_context()["headrace"]["dev"], "platform": "a --json"}}}}
    (tmp_path / "cdk.json").write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(InvalidInput, match="platform is 'a --json'"):
        platform_options.platform_options("a", tmp_path / "cdk.json")
