"""Requests against the service's own model: what botocore lets through and the service would refuse."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import regex
from botocore.session import get_session
from botocore.validate import ParamValidator
from headrace import service_model
from headrace.service_model import Model, installed, recorded, violations, walk
from hypothesis import given
from hypothesis import strategies as st

VALID: dict[str, Any] = {
    "TrainingJobName": "headrace-dev-digits",
    "AlgorithmSpecification": {"TrainingImage": "1.dkr.ecr/x:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::111111111111:role/headrace-dev-s3",
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "HyperParameters": {"epochs": "3"},
    "Tags": [{"Key": "headrace:platform", "Value": "dev"}],
}

WRONG = [
    (("TrainingJobName",), "under_score", "TrainingJobName is 'under_score'; allowed: the pattern"),
    (("TrainingJobName",), "x" * 64, "TrainingJobName is 64 character(s) long; allowed: 1 to 63"),
    (("RoleArn",), "arn:aws:iam::1:role/short-account", "RoleArn is 'arn:aws:iam::1:role/short-account'; allowed"),
    (("ResourceConfig", "InstanceType"), "ml.m5.larg", "such as ml.m5.large"),
    (("ResourceConfig", "InstanceCount"), -1, "ResourceConfig.InstanceCount is -1; allowed: 0 to 2147483647"),
    (("ResourceConfig", "VolumeSizeInGB"), 10**12, "VolumeSizeInGB is 1000000000000; allowed: 0 to 2147483647"),
    (("InputDataConfig", 0, "ShuffleConfig"), {"Seed": 1 << 63}, "Seed is 9223372036854775808; allowed: -92233720"),
    (
        ("ResourceConfig", "InstanceCount"),
        True,
        "ResourceConfig.InstanceCount is True; allowed: a value of type",
    ),
    (
        ("ResourceConfig", "VolumeSizeInGB"),
        "30",
        "ResourceConfig.VolumeSizeInGB is '30'; allowed: a value of type",
    ),
    (("InputDataConfig",), [], "InputDataConfig is 0 element(s) long; allowed: 1 to 20"),
    (("InputDataConfig", 0, "ChannelName"), "bad name", "InputDataConfig[0].ChannelName is 'bad name'; allowed"),
    (("InputDataConfig", 0, "InputMode"), "Fast", "InputDataConfig[0].InputMode is 'Fast'; allowed: Pipe, File"),
    (("OutputDataConfig",), {}, "OutputDataConfig.S3OutputPath is missing; allowed: a value; it is required"),
    (("HyperParameters",), {"k" * 257: "v"}, "is 257 character(s) long; allowed: 0 to 256"),
    (("HyperParameters",), {"k": "v" * 2501}, "HyperParameters.k is 2501 character(s) long; allowed: 0 to 2500"),
    (("Environment",), {"9LIVES": "x"}, "Environment key '9LIVES' is '9LIVES'; allowed: the pattern"),
    (("Tags",), [{"Key": "a|b", "Value": ""}], "Tags[0].Key is 'a|b'; allowed: the pattern"),
    (("TrainingJobNam",), "x", "TrainingJobNam is unknown; allowed: TrainingJobName"),
]


def _with(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    request = copy.deepcopy(VALID)
    target: Any = request
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return request


def test_a_valid_request_has_no_violations() -> None:
    """A request as the service takes it passes."""
    assert violations("sagemaker", "CreateTrainingJob", VALID) == []


@pytest.mark.parametrize(("path", "value", "expected"), WRONG)
def test_each_wrong_member_is_named_with_its_value_and_what_is_allowed(
    path: tuple[str | int, ...], value: Any, expected: str
) -> None:
    """One wrong member gives one line that names it."""
    lines = [str(each) for each in violations("sagemaker", "CreateTrainingJob", _with(path, value))]
    assert [line for line in lines if expected in line], lines
    assert all(line.startswith(str(path[0])) for line in lines)


def test_botocore_itself_lets_patterns_and_enums_through() -> None:
    """The reason for this module: botocore finds none of these, so when it does, the module can go."""
    shape = get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    for path, value in [(("TrainingJobName",), "under_score"), (("ResourceConfig", "InstanceType"), "ml.nix")]:
        assert not ParamValidator().validate(_with(path, value), shape).has_errors()


def test_several_mistakes_are_reported_together() -> None:
    """Nobody wants to hear of them one deploy at a time."""
    request = _with(("TrainingJobName",), "a_b")
    request["RoleArn"] = "nobody"
    request["ResourceConfig"] = {"InstanceType": "ml.nix", "VolumeSizeInGB": -1}
    places = {each.member for each in violations("sagemaker", "CreateTrainingJob", request)}
    assert places == {"TrainingJobName", "RoleArn", "ResourceConfig.InstanceType", "ResourceConfig.VolumeSizeInGB"}


@pytest.mark.parametrize("service", ["sagemaker", "fsx", "efs"])
def test_every_pattern_of_the_service_can_be_read(service: str) -> None:
    """A pattern in a dialect that is not read would raise in a user's face."""
    model = installed(service)
    with_pattern = [shape for shape in model.shapes.values() if shape["type"] == "string" and "pattern" in shape]
    assert with_pattern
    for shape in with_pattern:
        for text in ("any text", "ünï-côde \U0001f600", "\u2028"):
            list(walk(model, shape, text, "value"))


def test_the_record_is_what_the_installed_botocore_says() -> None:
    """If not: python -m headrace.service_model > jobs/headrace/create_training_job.json."""
    record = Path(service_model.__file__).parent / "create_training_job.json"
    assert json.loads(record.read_text(encoding="utf-8")) == recorded("sagemaker", "CreateTrainingJob")


def test_what_the_record_does_not_know_is_judged_by_the_installed_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who upgrades boto3 for a new instance type need not wait for a new headrace."""
    plain = recorded("sagemaker", "CreateTrainingJob")
    plain["shapes"]["TrainingInstanceType"]["enum"] = ["ml.m4.xlarge"]
    older = Model(plain["shapes"], plain["inputs"])
    monkeypatch.setattr(service_model, "_recorded", lambda: older)
    assert violations("sagemaker", "CreateTrainingJob", VALID) == []
    (found,) = violations("sagemaker", "CreateTrainingJob", _with(("ResourceConfig", "InstanceType"), "ml.nix"))
    known = installed("sagemaker").shapes["TrainingInstanceType"]["enum"]
    assert found.allowed.startswith(f"one of {len(known)} values")


TAG_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


@given(st.text(max_size=8) | st.text(alphabet=st.characters(max_codepoint=127), max_size=8))
def test_ascii_is_matched_as_the_library_for_javas_dialect_does(text: str) -> None:
    """The short way for ASCII, without that library, says the same."""
    shape = {"type": "string", "pattern": TAG_PATTERN}
    is_legal = not list(walk(Model({}, {}), shape, text, "tag"))
    assert is_legal == (regex.fullmatch(TAG_PATTERN, text) is not None)


def test_a_good_request_needs_no_botocore() -> None:
    """Importing it and reading its models takes longer than all the rest of a plan."""
    code = (
        "import json, sys; from headrace.service_model import violations; "
        "assert violations('sagemaker', 'CreateTrainingJob', json.loads(sys.argv[1])) == []; "
        "assert not {'botocore', 'boto3', 'regex'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(VALID)], check=True)
