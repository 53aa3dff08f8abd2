"""Plan, check and submit a launch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from headrace import launch
from headrace.errors import HeadraceError, InvalidInput
from headrace.job_file import JobFile
from headrace.platform import Platform
from headrace.rules import Level, RuleViolations, run_rules
from headrace.rules.launch import LAUNCH_RULES, ChannelSpec, LaunchSpec

from tests.test_training import FOUNDATION

CHANNEL = ChannelSpec(
    name="train", bucket="lake", prefix="data/x/", is_readable=True, bucket_region="eu-west-1", has_objects=True
)
GOOD = LaunchSpec(
    job_name="headrace-dev-x",
    job_name_prefix="headrace-dev-",
    region="eu-west-1",
    channels=(CHANNEL,),
    readable_locations=("s3://lake/data/",),
    role_arn="arn:aws:iam::111111111111:role/r",
    has_own_role=False,
    image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/x:1",
    request_violations=(),
    is_name_in_use=False,
    role_exists=True,
    image_exists=True,
)


def _channel(**changes: Any) -> dict[str, Any]:
    return {"channels": (replace(CHANNEL, **changes),)}


WRONG = [
    (_channel(bucket_region=None), "V19", "create bucket 'lake'"),
    ({"channels": ()}, "V51", "1 to 20"),
    ({"channels": (CHANNEL,) * 21}, "V51", "21 channels"),
    (_channel(bucket_region="us-east-1"), "V54", "launch in us-east-1"),
    ({"job_name": "digits"}, "V59", "fix: headrace-dev-digits"),
    (_channel(has_objects=False), "V80", "s3://lake/data/x/"),
    (_channel(is_readable=False), "V81", "below s3://lake/data/"),
    ({"role_exists": False}, "V82", "role/r"),
    ({"image_exists": False}, "V83", "push the image"),
    ({"is_name_in_use": True}, "V84", "base_job_name"),
    ({"request_violations": (("RoleArn", "'x'", "a pattern"),)}, "V85", "RoleArn is 'x'; allowed: a pattern"),
]


def test_a_good_launch_has_no_findings() -> None:
    """Nothing to say."""
    assert run_rules(LAUNCH_RULES, GOOD) == []


@pytest.mark.parametrize(("changes", "rule_id", "expected"), WRONG)
def test_each_rule_of_a_launch_says_value_and_fix(changes: dict[str, Any], rule_id: str, expected: str) -> None:
    """One change, one finding."""
    findings = run_rules(LAUNCH_RULES, replace(GOOD, **changes))
    assert [each.rule_id for each in findings] == [rule_id]
    assert expected in str(findings[0])
    assert findings[0].level is Level.ERROR


def test_every_rule_of_a_launch_is_in_the_table() -> None:
    """A rule without a row would be a rule that nobody saw fail."""
    assert {rule.rule_id for rule in LAUNCH_RULES} == {rule_id for _, rule_id, _ in WRONG}


def test_a_job_with_a_role_of_its_own_is_not_bound_to_the_platforms_trust() -> None:
    """Name prefix and data locations are what the platform's roles are limited to."""
    spec = replace(GOOD, has_own_role=True, job_name="digits", **_channel(is_readable=False))
    assert run_rules(LAUNCH_RULES, spec) == []


class FakeAws:
    """The two deeds of a launch, recorded; the create fails when told to."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.deeds = fails, []

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        self.deeds.append(("put", bucket, key, bool(body)))

    def delete_object(self, bucket: str, key: str) -> None:
        self.deeds.append(("delete", bucket, key))

    def create_training_job(self, request: dict[str, Any]) -> str:
        if self.fails:
            raise InvalidInput("CreateTrainingJob: ResourceLimitExceeded: quota")
        self.deeds.append(("create", request["TrainingJobName"]))
        return "arn"


@pytest.fixture
def job(tmp_path: Path) -> JobFile:
    """A job with code."""
    (tmp_path / "train.py").write_text("print(1)")
    return JobFile(
        job_name="headrace-dev-x",
        image="x:1",
        instance_type="ml.m5.large",
        channels={"train": {"s3": "data/x/"}},
        source_dir=tmp_path,
        entry_point="train.py",
    )


KEY = "code/headrace-dev-x/source.tar.gz"


def test_code_is_uploaded_before_the_job_is_created(job: JobFile) -> None:
    """The job begins at once, so its code has to lie there."""
    aws: Any = FakeAws()
    launch.submit(launch.plan(job, Platform(foundation=FOUNDATION)), aws)
    assert aws.deeds == [("put", "lake", KEY, True), ("create", "headrace-dev-x")]


def test_a_job_that_cannot_be_created_leaves_no_code_behind(job: JobFile) -> None:
    """Nothing half-made stays."""
    aws: Any = FakeAws(fails=True)
    with pytest.raises(HeadraceError, match="quota"):
        launch.submit(launch.plan(job, Platform(foundation=FOUNDATION)), aws)
    assert aws.deeds == [("put", "lake", KEY, True), ("delete", "lake", KEY)]


def test_a_plan_reports_all_that_is_wrong_without_an_account(job: JobFile) -> None:
    """Before the first call: name out of scope, location not readable, instance type unknown."""
    wrong = job.model_copy(
        update={
            "job_name": "x",
            "instance_type": "ml.nix",
            "channels": {"train": job.channels["train"].model_copy(update={"s3": "s3://other/x/"})},
        }
    )
    with pytest.raises(RuleViolations) as caught:
        launch.plan(wrong, Platform(foundation=FOUNDATION))
    assert {each.rule_id for each in caught.value.findings} == {"V59", "V81", "V85"}


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "x" * 65, "*"])
def test_a_platforms_name_is_one_step_of_a_path(name: str) -> None:
    """Before any call: it becomes part of a parameter's path."""
    aws: Any = FakeAws()
    with pytest.raises(InvalidInput, match="platform is"):
        launch.read_platform(aws, name)


@pytest.mark.parametrize(
    ("location", "is_readable"),
    [
        ("data/x/", True),
        ("data/", True),
        ("dat", False),
        ("database/", False),
        ("code/", False),
        ("s3://other/data/", False),
        ("s3://lake", False),
    ],
)
def test_only_what_lies_below_a_data_location_is_readable(job: JobFile, location: str, is_readable: bool) -> None:
    """As the role's statements have it, letter by letter."""
    wrong = job.model_copy(update={"channels": {"train": job.channels["train"].model_copy(update={"s3": location})}})
    if is_readable:
        assert launch.plan(wrong, Platform(foundation=FOUNDATION)).request["InputDataConfig"]
    else:
        with pytest.raises(RuleViolations, match="V81"):
            launch.plan(wrong, Platform(foundation=FOUNDATION))
