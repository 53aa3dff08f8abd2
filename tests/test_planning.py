"""What a plan promises of every job: valid ones make requests that are taken, all others end in a finding.

Jobs are made by hypothesis; none of the strategies looks at headrace's own tables.
"""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from headrace import job_file
from headrace.channels import Channel
from headrace.errors import InvalidInput
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan, draft, plan
from headrace.roads import Access, Compression, Distribution, RecordWrapper, S3DataType
from headrace.rules import Level, RuleViolations, Suppression
from headrace.sources import (
    EfsSource,
    LustreSource,
    S3FastFileSource,
    S3FileSource,
    S3Location,
    S3PipeSource,
    Source,
)
from headrace.training import (
    CapacityRetry,
    Checkpoints,
    InstanceGroup,
    MetricDefinition,
    OwnIngestion,
    Spot,
    TrainingJob,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.test_roads_matrix import ids, refusals
from tests.test_training import JOB, PLATFORM

# no timing decides a test; a job is large, so drawing one is slow, and making one smaller takes minutes
PATIENT = settings(
    deadline=None,
    max_examples=150,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,10}[a-zA-Z0-9]", fullmatch=True)
DATA_KEYS = st.from_regex(r"data/([a-zA-Z0-9_.-]{1,20}/){0,3}[a-z]{0,8}", fullmatch=True).filter(
    lambda key: not {".", ".."} & set(key.split("/"))
)
LOCATIONS = st.builds(S3Location, bucket=st.just("lake"), prefix=DATA_KEYS)
DIRECTORIES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}(/[a-zA-Z0-9_-]{1,20}){0,3}", fullmatch=True)
CONTENT_TYPES = st.none() | st.sampled_from(["image/png", "application/x-recordio"])
TYPES = ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge", "ml.g5.xlarge", "ml.p3.2xlarge"]
TEXT = st.text(alphabet=string.ascii_letters + string.digits + " _./=-", max_size=40)


def s3_sources(groups: tuple[str, ...]) -> st.SearchStrategy[Source]:
    """Sources in S3 that the API takes; ``groups``: of the job's cluster."""
    shared: dict[str, Any] = {
        "location": LOCATIONS,
        "distribution": st.sampled_from(Distribution),
        "content_type": CONTENT_TYPES,
        "shuffle_seed": st.none() | st.integers(0, 2**62),
        "instance_groups": st.lists(st.sampled_from(groups), unique=True).map(tuple) if groups else st.just(()),
    }
    file_types = st.sampled_from([S3DataType.S3_PREFIX, S3DataType.MANIFEST_FILE])
    pipe = {"compression": st.sampled_from(Compression), "record_wrapper": st.sampled_from(RecordWrapper)}
    names = st.lists(st.from_regex(r"[a-z][a-z-]{0,20}", fullmatch=True), min_size=1, max_size=16, unique=True)
    augmented = {
        "data_type": st.just(S3DataType.AUGMENTED_MANIFEST_FILE),
        "attribute_names": names.map(tuple),
        "compression": pipe["compression"],
        "record_wrapper": pipe["record_wrapper"],
    }
    return st.one_of(
        st.builds(S3FileSource, **shared, data_type=file_types),
        st.builds(S3FastFileSource, **shared),
        st.builds(S3PipeSource, **shared, data_type=file_types, **pipe),
        st.builds(S3PipeSource, **shared, **augmented),
    )


FILE_SYSTEMS: st.SearchStrategy[Source] = st.one_of(
    st.builds(
        LustreSource,
        link=st.just("data"),
        path=st.just("") | DIRECTORIES,
        access=st.sampled_from(Access),
        content_type=CONTENT_TYPES,
    ),
    st.builds(
        EfsSource,
        path=st.just("/") | DIRECTORIES.map("/{}".format),
        access=st.sampled_from(Access),
        content_type=CONTENT_TYPES,
    ),
)


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, Any]:
    """Either one type with other types to try, or a heterogeneous cluster."""
    zones = tuple(draw(st.permutations(["euw1-az1", "euw1-az2", "euw1-az3"])))[: draw(st.integers(0, 3))]
    # zone 1 is where every road of the platform meets
    zones = tuple(dict.fromkeys((*zones, "euw1-az1"))) if zones else ()
    if draw(st.booleans()):
        names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
        groups = tuple(
            InstanceGroup(name=name, instance_type=draw(st.sampled_from(TYPES)), instance_count=draw(st.integers(1, 9)))
            for name in names
        )
        return {
            "instance_type": None,
            "instance_groups": groups,
            "capacity_retry": CapacityRetry(availability_zone_ids=zones),
        }
    first, *others = draw(st.lists(st.sampled_from(TYPES), min_size=1, unique=True))
    retry = CapacityRetry(instance_types=tuple(others), availability_zone_ids=zones)
    return {"instance_type": first, "instance_count": draw(st.integers(1, 20)), "capacity_retry": retry}


@st.composite
def spots(draw: st.DrawFn) -> dict[str, Any]:
    """Spot with checkpoints and a wait that is long enough, or neither."""
    seconds = draw(st.integers(1, 86_400))
    if not draw(st.booleans()):
        return {"max_runtime_seconds": seconds}
    place = S3Location(bucket="lake", prefix=f"checkpoints/{draw(DIRECTORIES)}/")
    return {
        "max_runtime_seconds": seconds,
        "spot": Spot(max_wait_seconds=seconds + draw(st.integers(0, 86_400))),
        "checkpoints": Checkpoints(location=place),
    }


@st.composite
def jobs(draw: st.DrawFn) -> TrainingJob:
    """Jobs that break no rule, by construction."""
    cluster, spot = draw(clusters()), draw(spots())
    groups = tuple(each.name for each in cluster.get("instance_groups", ()))
    ingestion = draw(st.none() | st.builds(OwnIngestion, role=st.just("warehouse"), dataset=NAMES, version=NAMES))
    names = draw(
        st.lists(NAMES.filter(lambda name: name != "code"), min_size=ingestion is None, max_size=19, unique=True)
    )
    channels = tuple(Channel(name=name, source=draw(s3_sources(groups) | FILE_SYSTEMS)) for name in names)
    return replace(
        JOB,
        name=f"headrace-dev-{draw(NAMES)}",
        channels=channels,
        own_ingestion=ingestion,
        network_isolation=ingestion is None and draw(st.booleans()),
        in_vpc=draw(st.booleans()),
        arguments=tuple(draw(st.lists(st.from_regex(r"[ -~]{1,100}", fullmatch=True), max_size=5))),
        hyperparameters=draw(st.dictionaries(NAMES, TEXT, max_size=5)),
        environment=draw(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True), TEXT, max_size=5)),
        metric_definitions=(MetricDefinition(name="a:b", regex=r"a=([0-9.]+)"),),
        internal_error_retries=draw(st.none() | st.integers(1, 30)),
        max_pending_seconds=draw(st.none() | st.integers(7200, 86_400)),
        tags=draw(st.dictionaries(NAMES, TEXT, max_size=5)),
        output=draw(st.none() | st.just(S3Location(bucket="lake", prefix="output/x/"))),
        **cluster,
        **spot,
    )


@settings(PATIENT, max_examples=60)
@given(jobs(), st.booleans())
def test_every_valid_job_is_planned_as_requests_that_are_taken(job: TrainingJob, require_vpc: bool) -> None:
    """No rule refuses it, nor does botocore, nor the service's own model; each attempt has a name of its own."""
    platform = replace(PLATFORM, foundation=replace(PLATFORM.foundation, require_vpc=require_vpc))
    planned = draft(job, platform)
    assert [str(each) for each in planned.findings if each.level is Level.ERROR] == []
    for attempt in planned.attempts:
        assert refusals(attempt.request) == []
        assert attempt.name.startswith("headrace-dev-")
    names = [attempt.name for attempt in planned.attempts]
    assert len(set(names)) == len(names)
    assert names[0] == job.name
    _check_attachment(planned, require_vpc)


def _check_attachment(planned: LaunchPlan, require_vpc: bool) -> None:
    """Attached wherever a channel needs it, and never by a role that has no rights on interfaces."""
    mounts = any("FileSystemDataSource" in each["DataSource"] for each in planned.request.get("InputDataConfig", ()))
    for attempt in planned.attempts:
        is_attached = "VpcConfig" in attempt.request
        assert is_attached or not (mounts or require_vpc)
        assert not (is_attached and attempt.request["RoleArn"].endswith("-s3") and not require_vpc)


HOSTILE_TEXTS = [
    "",
    "..",
    "../../etc/passwd",
    "data/../../x/",
    "s3://lake/data/../x",
    "a" * 10_000,
    "é" * 10_000,
    "\x00",
    "\x1b[31mred",
    "x\r\ny",
    "$(reboot)",
    "`id`",
    "\u202egnp.exe",
    "\U0001f600",
    "data/%2e%2e/",
    "*",
    "${aws:username}",
    "1e400",
    "nan",
    "true",
    "-1",
    "99999999999999999999",
]
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text(alphabet=st.characters(categories=["Cc", "Cf", "Zl", "Zp", "So", "Lo"]), min_size=1, max_size=10),
    st.sampled_from(HOSTILE_TEXTS),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)
GOOD = {
    "base_job_name": "x",
    "image": "x:1",
    "instance_type": "ml.m5.large",
    "channels": {"train": {"s3": "data/x/"}, "lustre": {"lustre": "data", "path": "a"}, "efs": {"efs": "/a"}},
    "capacity_retry": {"instance_types": ["ml.m5.xlarge"], "availability_zone_ids": ["euw1-az1"]},
    "own_ingestion": {"role": "warehouse", "dataset": "sales"},
    "metric_definitions": [{"name": "a", "regex": "a=(.*)"}],
    "checkpoints": {"s3": "checkpoints/x/"},
    "hyperparameters": {"a": "b"},
    "instance_groups": {},
    "spot": {"max_wait_seconds": 90_000},
}


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good job file of which some places hold anything."""
    plain = yaml.safe_load(yaml.safe_dump(GOOD))
    fields = [*JobFile.model_fields, *draw(st.lists(HOSTILE, max_size=1))]
    for field in draw(st.lists(st.sampled_from(fields), max_size=3)):
        plain[field] = draw(VALUES)
    for place in draw(st.lists(st.sampled_from(["train", "lustre", "efs"]), max_size=2)):
        if isinstance(plain["channels"], dict) and isinstance(plain["channels"].get(place), dict):
            plain["channels"][place][draw(st.sampled_from(CHANNEL_FIELDS))] = draw(VALUES)
    return plain


CHANNEL_FIELDS = [
    *("s3", "lustre", "efs", "path", "input_mode", "data_type", "distribution", "shuffle_seed", "compression"),
    *("record_wrapper", "attribute_names", "instance_groups", "content_type", "access", "mode"),
]


def _drafted(path: Path) -> LaunchPlan | InvalidInput:
    try:
        return draft(job_file.load(path), PLATFORM, now=NOW)
    except InvalidInput as error:
        return error


def _ends_well(path: Path) -> None:
    """A request that is taken, or findings with ids, or one line for each mistake; nothing else is ever raised."""
    ended = _drafted(path)
    if isinstance(ended, InvalidInput):
        assert ended.problems
        assert all(each.strip() and len(each.splitlines()) == 1 for each in ended.problems), ended.problems
        assert all(len(each) < 2_000 for each in ended.problems)
        return
    for finding in ended.findings:
        assert finding.rule_id.startswith("V")
        assert len(str(finding).splitlines()) == 1, finding
        assert len(str(finding)) < 2_000
    if not any(each.level is Level.ERROR for each in ended.findings):
        assert [refusal for attempt in ended.attempts for refusal in refusals(attempt.request)] == []


WRONG_IN_PYTHON: list[tuple[dict[str, Any], str, str]] = [
    ({"source_dir": None}, "V136", "entry_point"),
    ({"entry_point": None}, "V136", "source_dir"),
    ({"command": ("x",)}, "V136", "command"),
    ({"source_dir": "/nowhere"}, "V137", "source_dir"),
    ({"entry_point": "../test_planning.py"}, "V137", "entry_point"),
    ({"dependencies": ("/nowhere",)}, "V137", "dependencies"),
    ({"channels": (replace(JOB.channels[0], name="code"),)}, "V115", "channels.code"),
    ({"tags": {"headrace:platform": "evil"}}, "V138", "tags"),
    ({"metric_definitions": (MetricDefinition(name="a", regex="abc"),)}, "V139", "metric_definitions.0.regex"),
    ({"output": S3Location(bucket="lake", prefix="/x")}, "V134 V127", "output"),
    (
        {"channels": (Channel(name="train", source=S3FileSource(location=S3Location(bucket="B/..", prefix="x"))),)},
        "V134",
        "channels.train.s3",
    ),
]


@pytest.mark.parametrize(("changes", "rule_ids", "field"), WRONG_IN_PYTHON)
def test_a_job_made_in_python_is_held_against_the_rules_of_a_file(
    changes: dict[str, Any], rule_ids: str, field: str
) -> None:
    """What a job file would be refused for is refused here, by the same rule."""
    errors = [each for each in draft(replace(JOB, **changes), PLATFORM).findings if each.level is Level.ERROR]
    assert [each.rule_id for each in errors] == rule_ids.split()
    assert {each.field for each in errors} == {field}


@pytest.mark.parametrize("rule_id", ["V134", "V136", "V137"])
def test_what_cannot_be_made_cannot_be_ignored(rule_id: str) -> None:
    """A suppression would launch another job than the one that was asked for."""
    changes = next(each for each, found, _ in WRONG_IN_PYTHON if found == rule_id)
    with pytest.raises(RuleViolations, match=rule_id):
        plan(replace(JOB, **changes), PLATFORM, suppressions=[Suppression(rule_id, "why")])


FIELDS = [
    *([name] for name in ("job_name", "base_job_name", "image", "instance_type", "output", "role_arn")),
    *([name] for name in ("volume_kms_key", "output_kms_key", "entry_point", "source_dir")),
    *(["channels", "train", name] for name in ("s3", "content_type", "path", "lustre", "efs")),
    *(["checkpoints", name] for name in ("s3", "local_path")),
    *(["own_ingestion", name] for name in ("role", "dataset", "version")),
    *(["metric_definitions", 0, name] for name in ("name", "regex")),
    *(["capacity_retry", name, 0] for name in ("instance_types", "availability_zone_ids")),
    *(["availability_zone_ids", 0], ["arguments", 0], ["command", 0]),
]
MAPS = ["channels", "instance_groups", "hyperparameters", "environment", "tags"]


def test_the_job_file_that_is_spoilt_is_a_good_one() -> None:
    """Else nothing below would ever come to a request."""
    assert ids(draft(JobFile.model_validate(GOOD), PLATFORM, now=NOW), errors=True) == set()


@pytest.mark.parametrize("value", HOSTILE_TEXTS, ids=lambda value: ascii(value[:12]))
def test_hostile_text_in_any_field_ends_in_a_request_or_in_findings(tmp_path: Path, value: str) -> None:
    """Each field in turn, and each map's keys: control characters, lines without end, paths that lead out."""
    path = tmp_path / "job.yaml"
    for place in FIELDS:
        path.write_text(yaml.safe_dump(_with(place, value), allow_unicode=True), encoding="utf-8")
        _ends_well(path)
    for field in MAPS:
        plain = _with([field], {})
        plain[field] = {value: plain[field] or {"s3": "data/x/"} if field == "channels" else "x"}
        path.write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
        _ends_well(path)


def _with(place: list[Any], value: Any) -> dict[str, Any]:
    """The good job file with another value at one place."""
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump(GOOD))
    if place == ["job_name"]:
        del plain["base_job_name"]
    if place[0] not in plain or place[1:] == [0]:
        plain[place[0]] = [value] if len(place) == 2 else value
        return plain
    target: Any = plain
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return plain


@PATIENT
@given(spoilt())
def test_any_job_file_ends_in_a_request_or_in_findings(tmp_path_factory: pytest.TempPathFactory, plain: Any) -> None:
    """Whatever stands in a file: no other exception, no message of several lines, no request that is refused."""
    path = tmp_path_factory.getbasetemp() / "spoilt.yaml"
    path.write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    _ends_well(path)


@PATIENT
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_any_text_as_a_job_file_ends_in_findings(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Not YAML, not a mapping, not UTF-8."""
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    _ends_well(path)
