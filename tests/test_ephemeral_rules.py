"""What an ephemeral flow is refused for, rule by rule; and that what headrace builds is never refused by mistake."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from headrace.rules import Level, machine_members, run_rules
from headrace.rules.ephemeral import (
    EPHEMERAL_RULES,
    MACHINES_RULES,
    PRELOAD_RULES,
    EphemeralSpec,
    LifetimeSpec,
    MachinesSpec,
)
from headrace.service_model import installed
from headrace.training import TrainingJob
from headrace.training_request import build_request
from hypothesis import given, settings

from tests.test_planning import PATIENT, jobs
from tests.test_training import PLATFORM

HOUR = 3600
LIFETIME = LifetimeSpec(seconds=10 * HOUR, needed_seconds=8 * HOUR, ready_seconds=1800, arithmetic="0.50 h + …")
SPEC = EphemeralSpec(
    platform="dev",
    job_name="dev-digits",
    lustre_channels=("train",),
    association_count=1,
    capacity_gib=1200,
    capacity_arithmetic="900 GiB of data / 0.9 fill",
    max_gib=2400,
    max_hours=24,
    lifetime=LIFETIME,
    request_members=("TrainingJobName", "Tags"),
    request_bytes=2000,
    role_arn="arn:fs",
    role_arns=("arn:fs", "arn:both"),
    platform_az_ids=("use1-az1", "use1-az2"),
)


def test_a_flow_like_others_has_nothing_against_it() -> None:
    """The base of the table below."""
    assert run_rules(EPHEMERAL_RULES, SPEC) == []


TABLE: list[tuple[dict[str, Any], str, str]] = [
    ({"lustre_channels": ()}, "V151", "without any on Lustre"),
    ({"association_count": 9}, "V17", "at most 8 folders"),
    ({"wanted_az_id": "use1-az9"}, "V159", "use1-az1, use1-az2"),
    ({"capacity_gib": 4800}, "V152", r"4,800 GiB \(900 GiB of data / 0.9 fill\); allowed: at most 2,400 GiB"),
    (
        {"lifetime": replace(LIFETIME, needed_seconds=25 * HOUR)},
        "V153",
        r"25 h \(0.50 h \+ …\); allowed: at most 24 h",
    ),
    (
        {"lifetime": replace(LIFETIME, seconds=30 * HOUR, is_given=True)},
        "V153",
        "30 h; allowed: at most 24 h, the cap of platform dev; fix: lifetime_hours: 24",
    ),
    ({"lifetime": replace(LIFETIME, seconds=1800, is_given=True)}, "V160", "0.50 h; allowed: more than 0.50 h"),
    ({"job_name": "d" * 51}, "V154", "at most 50 characters with --ephemeral; this one has 51"),
    ({"names_in_use": ("dev-digits-2",)}, "V84", "dev-digits-2"),
    ({"role_arn": "arn:own"}, "V156", "arn:fs, arn:both"),
    ({"request_members": ("InfraCheckConfig",)}, "V157", "InfraCheckConfig"),
    ({"request_members": ("StoppingCondition.MaxNapInSeconds",)}, "V157", "StoppingCondition.MaxNapInSeconds"),
    ({"tag_count": 49}, "V175", "49 with those that headrace sets; allowed: at most 48 .*; fix: leave 1 out"),
    ({"request_bytes": 102_401}, "V155", "102,401 bytes of JSON; allowed: at most 102,400"),
]


@pytest.mark.parametrize(("changes", "rule_id", "words"), TABLE, ids=lambda each: each if isinstance(each, str) else "")
def test_one_change_breaks_one_rule(changes: dict[str, Any], rule_id: str, words: str) -> None:
    """Each is an ERROR that names the figures."""
    (found,) = run_rules(EPHEMERAL_RULES, replace(SPEC, **changes))
    assert (found.rule_id, found.level) == (rule_id, Level.ERROR)
    assert re.search(words, str(found))


WARNINGS: list[tuple[dict[str, Any], str]] = [
    ({"retry": ("ml.g5.xlarge",)}, "V158"),
    ({"lifetime": replace(LIFETIME, seconds=2 * HOUR, is_given=True)}, "V160"),
]


@pytest.mark.parametrize(("changes", "rule_id"), WARNINGS)
def test_what_is_legal_but_not_what_it_seems_is_a_warning(changes: dict[str, Any], rule_id: str) -> None:
    """The job goes on all the same."""
    (found,) = run_rules(EPHEMERAL_RULES, replace(SPEC, **changes))
    assert (found.rule_id, found.level) == (rule_id, Level.WARNING)


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody mends one, and is told of the next."""
    everything = {name: value for changes, _, _ in TABLE for name, value in changes.items()}
    found = {each.rule_id for each in run_rules(EPHEMERAL_RULES, replace(SPEC, **everything))}
    # one lifetime cannot be too short and too long
    assert found | {"V153"} == {rule_id for _, rule_id, _ in TABLE}


def test_a_hold_needs_no_channel_and_no_role() -> None:
    """There is no job."""
    hold = replace(SPEC, is_hold=True, lustre_channels=(), role_arn=None, request_members=(), request_bytes=0)
    assert run_rules(EPHEMERAL_RULES, hold) == []


def test_a_platform_without_machines_says_what_to_switch_on() -> None:
    """The first thing that may be missing."""
    (found,) = run_rules(MACHINES_RULES, MachinesSpec(platform="dev", has_machines=False))
    assert found.rule_id == "V150"
    assert "switch on ephemeral" in found.fix
    assert run_rules(MACHINES_RULES, MachinesSpec(platform="dev", has_machines=True)) == []


def test_48_tags_are_not_too_many() -> None:
    """With the machine's two they are 50."""
    assert run_rules(EPHEMERAL_RULES, replace(SPEC, tag_count=48)) == []


PRELOAD_TABLE: list[tuple[dict[str, Any], str]] = [
    ({"missing_preload_image": "x:1"}, "V83 ERROR: ephemeral.preload_image is 'x:1'"),
    (
        {"preload_violations": (("ResourceConfig.InstanceType", "'ml.x'", "ml.m5.large …"),)},
        "V85 ERROR: ephemeral.preload_instance_type is 'ml.x'; allowed: ml.m5.large …",
    ),
    ({"preload_violations": (("Tags", "60", "50"),)}, "V85 ERROR: preload.Tags is 60; allowed: 50"),
]


@pytest.mark.parametrize(("changes", "words"), PRELOAD_TABLE)
def test_what_is_wrong_with_the_preload_is_told_by_its_fields(changes: dict[str, Any], words: str) -> None:
    """The job has the same rules, with other fields."""
    assert run_rules(PRELOAD_RULES, SPEC) == []
    (found,) = run_rules(PRELOAD_RULES, replace(SPEC, **changes))
    assert str(found).startswith(words)


def test_every_known_member_is_one_of_the_api() -> None:
    """The list is data about CreateTrainingJob: a member that is misspelt would let nothing through."""
    model = installed("sagemaker")
    for path in machine_members.known():
        shape = model.shapes[model.inputs["CreateTrainingJob"]]
        for name in path.split("."):
            structure = model.shapes[shape["member"]["shape"]] if shape["type"] == "list" else shape
            assert name in structure["members"], path
            shape = model.shapes[structure["members"][name]["shape"]]


def test_members_are_named_by_their_paths_and_those_of_maps_are_not() -> None:
    """A map holds what the user names as he likes."""
    request = {
        "StoppingCondition": {"MaxRuntimeInSeconds": 1, "New": 2},
        "InputDataConfig": [{"ChannelName": "a"}, {"DataSource": {"S3DataSource": {"S3Uri": "s3://a/b"}}}],
        "Environment": {"ANY": "thing"},
    }
    assert machine_members.named_in(request) - machine_members.known() == {"StoppingCondition.New"}
    assert "InputDataConfig.DataSource.S3DataSource.S3Uri" in machine_members.named_in(request)


@settings(PATIENT, max_examples=40)
@given(jobs())
def test_everything_that_headrace_builds_is_known(job: TrainingJob) -> None:
    """Whatever a job asks for, its request may travel through the machine."""
    request = build_request(job, PLATFORM, PLATFORM.foundation.subnets)
    assert machine_members.named_in(request) <= machine_members.known()
