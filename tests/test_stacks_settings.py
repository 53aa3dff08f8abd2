"""Settings are typed: every mistake is reported at once, with the full path of its key and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from headrace.errors import InvalidInput

from stacks.composition import Target, compose
from stacks.names import illegal_names
from stacks.settings import EnvironmentSettings, LustreSettings, settings_of

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
NETWORK = {"cidr": "10.64.0.0/20", "availability_zone_ids": ["use1-az1"]}


def _read(**settings: Any) -> EnvironmentSettings:
    return settings_of({"dev": {"network": NETWORK, **settings}}, "dev")


def _problems(**settings: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        _read(**settings)
    return list(caught.value.problems)


def test_defaults_fill_what_is_left_out() -> None:
    """A network is all that has to be given; lists become tuples, which nobody can change."""
    settings = _read()
    assert settings.network.availability_zone_ids == ("use1-az1",)
    assert settings.lustre == LustreSettings(storage_capacity_gib=1200)
    assert (settings.kms_key, settings.synthesizer, settings.region) == ("aws", "bootstrapless", None)


@pytest.mark.parametrize(
    ("settings", "path", "allowed"),
    [
        ({"regon": "us-east-1"}, "headrace.dev.regon", "region"),
        ({"region": 1}, "headrace.dev.region", "text"),
        ({"synthesizer": "none"}, "headrace.dev.synthesizer", "bootstrapless, default"),
        ({"network": {"cidr": True}}, "headrace.dev.network.cidr", "text"),
        ({"network": {"availability_zones": "us-east-1a"}}, "headrace.dev.network.availability_zones", "a list"),
        ({"network": {"availability_zones": [1]}}, "headrace.dev.network.availability_zones[0]", "text"),
        (
            {"network": {"interface_endpoints": {"sts": "on"}}},
            "headrace.dev.network.interface_endpoints.sts",
            "true or",
        ),
        (
            {"network": {"existing": {"vpc_id": "vpc-1", "route_table_ids": []}}},
            "headrace.dev.network.existing.subnets",
            "a list",
        ),
        ({"efs": {"enabled": 1}}, "headrace.dev.efs.enabled", "true or false"),
        ({"efs": []}, "headrace.dev.efs", "an object"),
        ({"lustre": {"storage_capacity_gib": "1200"}}, "headrace.dev.lustre.storage_capacity_gib", "a whole number"),
        ({"lustre": {"storage_capacity_gib": True}}, "headrace.dev.lustre.storage_capacity_gib", "a whole number"),
        ({"lustre": {"dataset_gib": "3"}}, "headrace.dev.lustre.dataset_gib", "a number"),
        ({"lustre": {"links": [{"name": "a", "path": "/a"}]}}, "headrace.dev.lustre.links[0].prefix", "text"),
        (
            {"lustre": {"links": [{"name": "a", "path": "/a", "prefix": "a/", "auto_import_events": ["ALL"]}]}},
            "headrace.dev.lustre.links[0].auto_import_events[0]",
            "NEW, CHANGED, DELETED",
        ),
        ({"tags": ["a"]}, "headrace.dev.tags", "an object"),
    ],
)
def test_each_mistake_names_its_path_and_what_is_allowed(settings: dict[str, Any], path: str, allowed: str) -> None:
    """One mistake, one line."""
    (problem,) = _problems(**settings)
    assert problem.startswith(f"{path} is")
    assert allowed in problem
    assert "fix: " in problem


def test_all_mistakes_come_at_once() -> None:
    """Mistakes in different parts of the settings are one error with several lines."""
    problems = _problems(regon="x", efs={"enabled": "yes"}, lustre={"links": "none"}, account=1)
    assert len(problems) == 4


def test_unknown_environment_names_the_known_ones() -> None:
    """A typo in the environment's name shows what there is."""
    with pytest.raises(InvalidInput, match=r"env is 'prd'; allowed: dev, prod"):
        settings_of({"prod": {}, "dev": {}}, "prd")


def test_missing_context_is_one_line() -> None:
    """Without the context key the error says where it belongs."""
    with pytest.raises(InvalidInput, match=r"cdk\.json"):
        settings_of(None, "dev")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"platform": "My_Platform"}, "platform"),
        ({"account": "1234"}, "account"),
        ({"region": "Frankfurt"}, "region"),
        ({"job_name_prefix": "a_b"}, "job_name_prefix"),
        ({"kms_key": "mine"}, "kms_key"),
        ({"iam": {"path": "ml"}}, "iam.path"),
        ({"iam": {"name_prefix": "a b"}}, "iam.name_prefix"),
        ({"iam": {"permissions_boundary_arn": "boundary"}}, "iam.permissions_boundary_arn"),
        ({"bucket": {"adopt": "My_Bucket"}}, "bucket.adopt"),
        ({"bucket": {"noncurrent_version_days": 0}}, "bucket.noncurrent_version_days"),
        ({"bucket": {"adopt": "kept-bucket"}, "kms_key": "new"}, "kms_key"),
    ],
)
def test_names_that_aws_would_refuse_are_refused_before(settings: dict[str, Any], key: str) -> None:
    """Names, ids and numbers are judged before anything is synthesised."""
    (problem,) = illegal_names(_read(**settings), "dev")
    assert problem.startswith(f"{key} is ")


def test_committed_settings_have_legal_names() -> None:
    """The environments of cdk.json pass, and are those that the documentation names."""
    context = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["headrace"]
    assert set(context) == {"dev", "prod"}
    assert not [line for name in context for line in illegal_names(settings_of(context, name), name)]


def test_mistakes_of_all_parts_come_together() -> None:
    """A refused network does not hide what is wrong with data locations, EFS and Lustre."""
    settings = _read(
        region="us-east-1",
        network={"cidr": "10.0.0.0/8", "availability_zone_ids": ["use1-az1"]},
        data_locations=[{"bucket": "Bad_Bucket", "prefix": "x/"}],
        efs={"performance_mode": "maxIO"},
        lustre={"storage_capacity_gib": 3600},
    )
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="dev"), settings)
    assert {problem.split()[0] for problem in caught.value.problems} == {"V70", "V77", "V39", "V2"}


def test_unknown_zone_of_a_file_system_names_the_networks_zones() -> None:
    """A zone that the network does not have is refused with those that it has."""
    settings = _read(region="us-east-1", lustre={"storage_capacity_gib": 1200, "zone": "use1-az9"})
    with pytest.raises(InvalidInput, match=r"lustre.zone is 'use1-az9'; allowed: use1-az1"):
        compose(App(), Target(environment="dev"), settings)
