"""Where a job runs: the zones in which its channels meet, and the attempts for want of capacity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from headrace.channels import Channel
from headrace.placement import Attempt, attempts, subnets_in, zones_spec
from headrace.planning import draft, plan
from headrace.platform import Efs, LustrePart, Platform, Subnet
from headrace.rules import Level, RuleViolations, Suppression
from headrace.sources import EfsSource, LustreSource, S3FileSource, Source
from headrace.training import CapacityRetry, OwnIngestion, TrainingJob
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_training import FOUNDATION, JOB, PLATFORM, PREFIX, S3_PLATFORM

A, B, C, D = (f"euw1-az{number}" for number in range(1, 5))
ON_S3, ON_LUSTRE, ON_EFS = S3FileSource(location=PREFIX), LustreSource(link="data"), EfsSource(path="/digits")


def platform(lustre_zone: str, target_zones: tuple[str, ...], subnet_zones: tuple[str, ...] = (A, B, C)) -> Platform:
    """A platform with its Lustre, its mount targets and its subnets in these zones."""
    assert isinstance(PLATFORM.lustre, LustrePart)
    return Platform(
        foundation=replace(
            PLATFORM.foundation,
            subnets=tuple(Subnet(subnet_id=f"subnet-{zone[-1]}", az_id=zone) for zone in subnet_zones),
            efs=Efs(file_system_id="fs-0123456789abcdef0", az_ids=target_zones),
        ),
        lustre=replace(PLATFORM.lustre, az_id=lustre_zone),
    )


def job(*sources: Source, **changes: Any) -> TrainingJob:
    """A job with a channel on each source: c0, c1 and so on."""
    channels = tuple(Channel(name=f"c{index}", source=source) for index, source in enumerate(sources))
    return replace(JOB, channels=channels, **changes)


MEETINGS = [
    ((ON_LUSTRE,), A, (B, C), (), [A]),
    ((ON_EFS,), A, (B, C), (), [B, C]),
    ((ON_EFS, ON_S3), A, (A, B, C), (), [A, B, C]),
    ((ON_LUSTRE, ON_EFS), B, (B, C), (), [B]),
    ((ON_LUSTRE, ON_EFS, ON_S3), C, (A, B, C), (C,), [C]),
    ((ON_EFS,), A, (A, B, C), (C, A), [A, C]),
    ((ON_S3,), A, (A,), (C,), [C]),
    ((ON_EFS,), A, (A, D), (), [A]),
]


@pytest.mark.parametrize(("sources", "lustre", "targets", "wanted", "expected"), MEETINGS)
def test_a_job_runs_in_the_zones_where_its_channels_meet(
    sources: tuple[Source, ...], lustre: str, targets: tuple[str, ...], wanted: tuple[str, ...], expected: list[str]
) -> None:
    """Lustre pins one zone, EFS those with a mount target, S3 none; the subnets keep the platform's order."""
    planned = plan(job(*sources, availability_zone_ids=wanted), platform(lustre, targets))
    assert [each.az_id for each in planned.attempts[0].subnets] == expected
    assert planned.request["VpcConfig"]["Subnets"] == [f"subnet-{zone[-1]}" for zone in expected]


def test_a_job_on_s3_alone_is_not_attached() -> None:
    """It needs no network of the platform's, and its role has no rights on network interfaces."""
    planned = plan(job(ON_S3), PLATFORM)
    assert "VpcConfig" not in planned.request
    assert planned.request["RoleArn"].endswith("-s3")


@pytest.mark.parametrize("wish", [{"in_vpc": True}, {"availability_zone_ids": (B,)}])
def test_a_job_on_s3_that_is_attached_by_choice_takes_a_role_that_may(wish: dict[str, Any]) -> None:
    """The role for S3 alone may make no network interfaces, unless the platform attaches every job."""
    assert plan(job(ON_S3, **wish), PLATFORM).request["RoleArn"].endswith("-both")
    attaching = replace(PLATFORM, foundation=replace(PLATFORM.foundation, require_vpc=True))
    assert plan(job(ON_S3, **wish), attaching).request["RoleArn"].endswith("-s3")
    with pytest.raises(RuleViolations, match=r"V129 .*the role both"):
        plan(job(ON_S3, **wish), Platform(foundation=replace(FOUNDATION, subnets=PLATFORM.foundation.subnets)))


def test_a_role_that_the_platform_has_not_is_one_finding_beside_the_others() -> None:
    """The rest of the job is judged as well; a suppression does not help, since there is nothing to send."""
    wrong = job(ON_S3, own_ingestion=OwnIngestion(role="nix", dataset="d"), tags={"aws:x": "y"}, name="elsewhere")
    drafted = draft(wrong, PLATFORM)
    assert [each.rule_id for each in drafted.findings if each.level is Level.ERROR] == ["V138", "V129", "V59"]
    with pytest.raises(RuleViolations, match="V129"):
        plan(wrong, PLATFORM, suppressions=[Suppression(each, "why") for each in ("V138", "V129", "V59")])


def test_a_platform_that_requires_it_attaches_every_job() -> None:
    """Its user policy refuses jobs that name no subnets."""
    attaching = replace(S3_PLATFORM, foundation=replace(FOUNDATION, require_vpc=True))
    assert plan(job(ON_S3), attaching).request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


NO_MEETING = [
    (
        (ON_S3, ON_LUSTRE, ON_EFS),
        A,
        (B, C),
        (),
        "channels.c2 is 'pinned to euw1-az2, euw1-az3 by EFS'",
        "(channels c1)",
    ),
    ((ON_EFS, ON_LUSTRE), A, (B, C), (), "channels.c1 is 'pinned to euw1-az1 by FSx for Lustre'", "(channels c0)"),
    ((ON_LUSTRE,), A, (B,), (C,), "channels.c0 is 'pinned to euw1-az1 by FSx for Lustre'", "reached, too: euw1-az3;"),
    (
        (ON_LUSTRE,),
        D,
        (B,),
        (),
        "channels.c0 is 'pinned to euw1-az4 by FSx for Lustre'",
        "euw1-az1, euw1-az2, euw1-az3;",
    ),
    ((ON_EFS,), A, (), (), "channels.c0 is 'pinned to no zone by EFS'", "mount target there"),
]


@pytest.mark.parametrize(("sources", "lustre", "targets", "wanted", "pinned", "others"), NO_MEETING)
def test_channels_that_do_not_meet_name_the_one_that_pins(
    sources: tuple[Source, ...],
    lustre: str,
    targets: tuple[str, ...],
    wanted: tuple[str, ...],
    pinned: str,
    others: str,
) -> None:
    """One error: the channel, its road and zones, and where everything else could be reached."""
    drafted = draft(job(*sources, availability_zone_ids=wanted), platform(lustre, targets))
    (error,) = [str(each) for each in drafted.findings if each.level is Level.ERROR]
    assert error.startswith("V35 ERROR: ")
    assert pinned.replace("'", "") in error.replace("'", "")
    assert others in error
    assert drafted.request["VpcConfig"]["Subnets"]


def test_a_zone_that_the_platform_has_not_is_named() -> None:
    """By its name, or of another Region: zones are compared by id."""
    with pytest.raises(RuleViolations, match=r"V123 ERROR: availability_zone_ids is 'eu-west-1a'"):
        plan(job(ON_S3, availability_zone_ids=("eu-west-1a",)), PLATFORM)


RETRY = CapacityRetry(instance_types=("ml.m5.xlarge", "ml.c5.xlarge"), availability_zone_ids=(B, A))


def test_attempts_try_each_type_in_each_zone_in_the_order_given() -> None:
    """All zones of one type before the next type; the job's own type first."""
    planned = plan(job(ON_EFS, capacity_retry=RETRY), PLATFORM)
    tried = [(each.request["ResourceConfig"]["InstanceType"], each.subnets[0].az_id) for each in planned.attempts]
    types = ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"]
    assert tried == [(instance_type, zone) for instance_type in types for zone in (B, A)]
    assert [each.name for each in planned.attempts] == [JOB.name, *(f"{JOB.name}-{number}" for number in range(2, 7))]


def test_a_zone_where_the_job_cannot_run_is_passed_over_and_told() -> None:
    """The Lustre is in zone A alone: trying B would fail at the mount, after the instances are there."""
    planned = plan(job(ON_LUSTRE, capacity_retry=RETRY), PLATFORM)
    assert {subnet.az_id for each in planned.attempts for subnet in each.subnets} == {A}
    assert len(planned.attempts) == 3
    assert [(each.rule_id, each.got) for each in planned.findings] == [("V131", f"'{B}'")]


def test_zones_to_be_tried_keep_to_the_zones_that_are_wanted() -> None:
    """A retry never leads out of the zones that the job names itself."""
    planned = plan(job(ON_S3, availability_zone_ids=(C,), capacity_retry=RETRY), PLATFORM)
    tried = [
        (each.request["ResourceConfig"]["InstanceType"], [subnet.az_id for subnet in each.subnets])
        for each in planned.attempts
    ]
    assert tried == [("ml.m5.large", [C]), ("ml.m5.xlarge", [C]), ("ml.c5.xlarge", [C])]
    assert [(each.rule_id, "none is left" in each.allowed) for each in planned.findings] == [("V131", True)] * 2


def test_types_alone_are_tried_wherever_the_data_is() -> None:
    """Without zones an attempt gets all of them; without a network none is attached."""
    types = CapacityRetry(instance_types=("ml.m5.xlarge",))
    attached = plan(job(ON_EFS, capacity_retry=types), PLATFORM)
    assert [len(each.subnets) for each in attached.attempts] == [2, 2]
    assert [each.subnets for each in plan(job(ON_S3, capacity_retry=types), PLATFORM).attempts] == [(), ()]


@settings(deadline=None, max_examples=50)
@given(
    st.from_regex(r"headrace-dev-[a-zA-Z0-9]([a-zA-Z0-9-]{0,47}[a-zA-Z0-9])?", fullmatch=True),
    st.lists(st.sampled_from([f"ml.m5.{size}" for size in ("xlarge", "2xlarge", "4xlarge", "12xlarge")]), unique=True),
)
def test_every_attempt_has_a_legal_name_of_its_own(name: str, types: list[str]) -> None:
    """Up to 63 characters, whatever is added; a name that was used is never free again."""
    retry = CapacityRetry(instance_types=tuple(types), availability_zone_ids=(A, B, C))
    planned = draft(job(ON_S3, name=name, capacity_retry=retry), PLATFORM)
    names = [each.name for each in planned.attempts]
    assert len(set(names)) == len(names) == 3 * (len(types) + 1)
    assert all(len(each) <= 63 and each.startswith("headrace-dev-") for each in names)
    assert "V85" not in {each.rule_id for each in planned.findings}


def test_an_error_of_a_channel_cannot_be_ignored() -> None:
    """A channel that cannot be made is left out: ignoring that would train without its data."""
    wrong = job(ON_S3, LustreSource(link="nix"))
    with pytest.raises(RuleViolations, match="V124"):
        plan(wrong, PLATFORM, suppressions=[Suppression("V124", "it will be there")])


def test_the_parts_agree() -> None:
    """Attempts without anything to try are one; zones without pins are the platform's."""
    assert attempts((), ()) == (Attempt(),)
    zones = zones_spec((), PLATFORM)
    assert subnets_in(zones, PLATFORM) == PLATFORM.foundation.subnets
    assert subnets_in(zones, PLATFORM, D) == ()
