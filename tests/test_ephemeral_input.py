"""From channels to links, and from all of it to the machine's input: the contract with ephemeral.asl.yaml."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from headrace.channels import Channel
from headrace.ephemeral.associations import Association, association_of, without_overlap
from headrace.ephemeral.future_plan import associations_of, planned
from headrace.ephemeral.machine_input import flow_input, lifetime, ready_seconds, request_bytes
from headrace.ephemeral.sizing import capacity_for
from headrace.ephemeral.survey import Survey
from headrace.future_lustre import PLACEHOLDER_ID, DataCompressionType, EphemeralLustre, for_the_machine
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan
from headrace.platform import LustreLink
from headrace.preload.contents import Contents
from headrace.rules import Level
from headrace.service_model import violations
from headrace.sources import EfsSource, LustreSource, S3FileSource, Source
from headrace.training import CapacityRetry, TrainingJob
from headrace_cdk.definition import load
from hypothesis import given
from hypothesis import strategies as st

from tests.flow_records import DATA, EPHEMERAL_PLATFORM, PART
from tests.test_training import JOB, PREFIX

ALL = LustreLink(name="all", path="/", bucket="pond", prefix="")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _plan(*sources: Source, wanted: EphemeralLustre | None = None, **changes: Any) -> LaunchPlan:
    channels = tuple(Channel(name=f"c{number}", source=source) for number, source in enumerate(sources))
    job = replace(JOB, channels=channels, **changes)
    return planned(job, EPHEMERAL_PLATFORM, PART, wanted or EphemeralLustre(), NOW)


@pytest.mark.parametrize(
    ("link", "below", "path", "uri"),
    [
        (DATA, "", "/data", "s3://lake/data/"),
        (DATA, "digits", "/data/digits", "s3://lake/data/digits/"),
        (DATA, "digits/train/", "/data/digits/train", "s3://lake/data/digits/train/"),
        (ALL, "", "/", "s3://pond/"),
        (ALL, "a", "/a", "s3://pond/a/"),
    ],
)
def test_a_folder_below_a_link_has_a_link_of_its_own(link: LustreLink, below: str, path: str, uri: str) -> None:
    """At the path where the shared file system would show it."""
    found = association_of(link, below)
    assert (found.path, found.uri) == (path, uri)


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=3).map("/".join), min_size=1, max_size=8))
def test_links_show_everything_that_is_wanted_and_never_overlap(folders: list[str]) -> None:
    """FSx refuses one that lies in another."""
    wanted = [association_of(DATA, each) for each in folders]
    kept = without_overlap(wanted)
    assert all(any(one.shows(each) for one in kept) for each in wanted)
    assert not any(one.shows(other) for one in kept for other in kept if one is not other)


def test_folders_whose_names_begin_alike_are_two() -> None:
    """``/data/cat`` does not show ``/data/cats``."""
    assert len(without_overlap([association_of(DATA, "cat"), association_of(DATA, "cats")])) == 2


def test_the_input_is_the_one_that_the_machine_is_written_for() -> None:
    """Member by member, as in the contract."""
    plan = _plan(LustreSource(link="data", path="digits"), S3FileSource(location=PREFIX))
    given = flow_input(
        job_name="headrace-dev-digits",
        storage_capacity_gib=1200,
        subnet_id="subnet-1",
        associations=associations_of(plan),
        ready_seconds=ready_seconds(2000),
        lifetime_seconds=93_600,
        training_request=plan.request,
        capacity_attempts=3,
    )
    request = given["Training"].pop("Request")
    assert given == {
        "Schema": 1,
        "JobName": "headrace-dev-digits",
        "Lustre": {
            "StorageCapacity": 1200,
            "SubnetId": "subnet-1",
            "DataCompressionType": "NONE",
            "Links": [{"FileSystemPath": "/data/digits", "DataRepositoryPath": "s3://lake/data/digits/"}],
            "ReadySeconds": 1804,
            "LifetimeSeconds": 93_600,
        },
        "Preload": None,
        "Training": {"CapacityAttempts": 3},
    }
    lustre, s3, code = request["InputDataConfig"]
    assert lustre["DataSource"]["FileSystemDataSource"] == {
        "FileSystemId": PLACEHOLDER_ID,
        "FileSystemAccessMode": "ro",
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/data/digits",
    }
    assert (s3["ChannelName"], code["ChannelName"]) == ("c1", "code")
    assert "VpcConfig" not in request
    assert {"Key": "headrace:platform", "Value": "dev"} in request["Tags"]
    assert violations("sagemaker", "CreateTrainingJob", request) == []


def test_the_machine_reads_what_the_input_has() -> None:
    """Every path below the execution's input that the definition names is a member that is always there."""
    given = flow_input(
        job_name="x",
        storage_capacity_gib=1200,
        subnet_id="subnet-1",
        associations=[association_of(DATA, "")],
        ready_seconds=1800,
        lifetime_seconds=7200,
        training_request={"TrainingJobName": "x", "InputDataConfig": []},
    )
    text = load("ephemeral").text
    for name in [*given, *given["Lustre"], *given["Lustre"]["Links"][0], *given["Training"]]:
        assert name in text


def test_a_hold_has_no_job() -> None:
    """Training is null, and the machine waits."""
    given = flow_input(
        job_name="x",
        storage_capacity_gib=1200,
        subnet_id="subnet-1",
        associations=[],
        ready_seconds=1800,
        lifetime_seconds=7200,
        data_compression_type=DataCompressionType.LZ4,
    )
    assert (given["Training"], given["Preload"], given["Lustre"]["DataCompressionType"]) == (None, None, "LZ4")
    assert request_bytes(given) == 0


def test_the_root_of_a_file_system_is_a_directory() -> None:
    """The machine puts the mount name before it."""
    plan = planned(
        replace(JOB, channels=(Channel(name="train", source=LustreSource(link="all")),)),
        EPHEMERAL_PLATFORM,
        replace(PART, links=(ALL,)),
        EphemeralLustre(),
        NOW,
    )
    request = for_the_machine(plan.request)
    assert request["InputDataConfig"][0]["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/"


def test_other_file_systems_stay_as_they_are() -> None:
    """The EFS has its id, and its path from its own root."""
    request = for_the_machine(_plan(LustreSource(link="data"), EfsSource(path="/x")).request)
    efs = request["InputDataConfig"][1]["DataSource"]["FileSystemDataSource"]
    assert (efs["FileSystemId"], efs["DirectoryPath"]) == ("fs-0123456789abcdef0", "/x")


@pytest.mark.parametrize(
    ("sources", "wanted", "changes", "zone"),
    [
        ([], None, {}, "euw1-az1"),
        ([], "euw1-az3", {}, "euw1-az3"),
        ([], None, {"availability_zone_ids": ("euw1-az2", "euw1-az3")}, "euw1-az2"),
        ([EfsSource(path="/x")], None, {"availability_zone_ids": ("euw1-az3", "euw1-az2")}, "euw1-az2"),
    ],
)
def test_the_file_system_is_made_where_all_channels_meet(
    sources: list[Source], wanted: str | None, changes: dict[str, Any], zone: str
) -> None:
    """The first such zone in which the platform has a subnet, or the one that is wanted."""
    plan = _plan(LustreSource(link="data"), *sources, wanted=EphemeralLustre(availability_zone_id=wanted), **changes)
    assert plan.platform.lustre is not None
    assert plan.platform.lustre.az_id == zone
    assert [each for each in plan.findings if each.level is Level.ERROR] == []


def test_a_zone_where_a_channel_cannot_be_reached_is_refused() -> None:
    """The rules of a job on a shared file system hold as they are."""
    plan = _plan(
        LustreSource(link="data"), EfsSource(path="/x"), wanted=EphemeralLustre(availability_zone_id="euw1-az3")
    )
    assert "V35" in {each.rule_id for each in plan.findings}


def test_an_unknown_link_is_told_with_those_that_there_are() -> None:
    """Those of the ephemeral part, not of the shared Lustre."""
    plan = planned(
        replace(JOB, channels=(Channel(name="train", source=LustreSource(link="data")),)),
        EPHEMERAL_PLATFORM,
        replace(PART, links=(ALL,)),
        EphemeralLustre(),
        NOW,
    )
    (found,) = [each for each in plan.findings if each.rule_id == "V124"]
    assert "all" in found.allowed
    assert associations_of(plan) == ()


def test_capacity_retry_makes_no_further_attempts() -> None:
    """They are the machine's; the rule says so."""
    plan = _plan(LustreSource(link="data"), capacity_retry=CapacityRetry(instance_types=("ml.m5.xlarge",)))
    assert len(plan.attempts) == 1


def test_a_job_file_says_how_the_file_system_is_to_be() -> None:
    """All fields of the block are fields of the record, with the same defaults."""
    job = JobFile(image="x:1", base_job_name="x")
    assert EphemeralLustre(**job.ephemeral.model_dump()) == EphemeralLustre()


GIB = 1 << 30


@pytest.mark.parametrize(
    ("size_bytes", "wanted", "gib", "rules"),
    [
        (0, None, 1200, []),
        (3, None, 1200, []),
        (1081 * GIB, None, 2400, []),
        (2161 * GIB, None, 4800, []),
        (100 * GIB, 4800, 4800, []),
        (100 * GIB, 1300, 1300, ["V2"]),
        (1100 * GIB, 1200, 1200, ["V26"]),
    ],
)
def test_the_capacity_is_the_smallest_for_the_data_or_the_one_that_is_wanted(
    size_bytes: int, wanted: int | None, gib: int, rules: list[str]
) -> None:
    """Nine tenths are filled at most."""
    data = Survey(contents=Contents(files=1, size_bytes=size_bytes, largest_bytes=size_bytes))
    found = capacity_for(data, EphemeralLustre(storage_capacity_gib=wanted))
    assert found.gib == gib
    assert [each.rule_id for each in found.findings] == rules
    assert all(each.field.startswith("ephemeral.") for each in found.findings)


@given(
    objects=st.integers(0, 10**9),
    preload=st.integers(0, 10**5),
    running=st.integers(1, 10**6),
    pending=st.none() | st.integers(1, 10**5),
    attempts=st.integers(1, 10),
    max_hours=st.integers(1, 168),
)
def test_a_lifetime_leaves_room_for_one_course_and_stays_below_the_cap_where_that_is_possible(
    objects: int, preload: int, running: int, pending: int | None, attempts: int, max_hours: int
) -> None:
    """The machine refuses what becomes ready after it has expired."""
    life = lifetime(
        ready=ready_seconds(objects),
        preload=preload,
        running=running,
        pending=pending,
        capacity_attempts=attempts,
        given_hours=None,
        max_hours=max_hours,
    )
    assert life.seconds >= life.needed_seconds > life.ready_seconds + preload + running
    assert life.seconds <= max(life.needed_seconds, max_hours * 3600)


def test_a_name_leaves_room_for_all_that_the_machine_adds() -> None:
    """``-preload-2`` and ``-10`` are the longest, and a training job's name holds 63 characters."""
    from headrace.rules.ephemeral import MAX_NAME_CHARACTERS
    from headrace.training import MAX_JOB_NAME_CHARACTERS

    assert MAX_NAME_CHARACTERS + len("-preload-2") <= MAX_JOB_NAME_CHARACTERS


def test_the_longest_request_is_measured() -> None:
    """As the machine hands it on."""
    request = {"TrainingJobName": "x", "Environment": {"A": "é" * 100}}
    given: dict[str, Any] = {"Preload": None, "Training": {"Request": request}}
    assert request_bytes(given) == len(json.dumps(request))


def test_an_association_says_who_asked_for_it() -> None:
    """For findings over the whole listing."""
    plan = _plan(LustreSource(link="data", path="a"), LustreSource(link="data", path="a/b"))
    assert associations_of(plan) == (
        Association(path="/data/a", bucket="lake", prefix="data/a/", field="channels.c0.path"),
    )
    assert isinstance(plan.job, TrainingJob)
