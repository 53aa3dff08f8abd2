"""Settings are typed: every mistake is reported at once, with the full path of its key and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Annotations, Match
from headrace.errors import InvalidInput

from stacks.composition import Target, compose
from stacks.lustre import SharedLustre
from stacks.names import illegal_names
from stacks.settings import EnvironmentSettings, LustreSettings, settings_of

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/trainer"
NETWORK = {"cidr": "10.64.0.0/20", "availability_zone_ids": ["use1-az1"]}
IN_IRELAND = {**NETWORK, "availability_zone_ids": ["euw1-az1"]}


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
        ({"own_ingestion": {"dw": {}}}, "headrace.dev.own_ingestion.dw.statements", "a list"),
        (
            {"own_ingestion": {"dw": {"statements": [{"actions": "a:B", "resources": ["*"]}]}}},
            "headrace.dev.own_ingestion.dw.statements[0].actions",
            "a list",
        ),
        (
            {"own_ingestion": {"dw": {"statements": [{"actions": [], "resources": [], "NotAction": ["iam:*"]}]}}},
            "headrace.dev.own_ingestion.dw.statements[0].NotAction",
            "actions, conditions, reason, resources",
        ),
        (
            {
                "own_ingestion": {
                    "dw": {"statements": [{"actions": [], "resources": [], "conditions": {"Bool": {"a:b": True}}}]}
                }
            },
            "headrace.dev.own_ingestion.dw.statements[0].conditions.Bool.a:b",
            "a list",
        ),
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
        ({"job_name_prefix": "Prod-"}, "job_name_prefix"),
        ({"kms_key": "mine"}, "kms_key"),
        ({"iam": {"path": "ml"}}, "iam.path"),
        ({"iam": {"name_prefix": "a b"}}, "iam.name_prefix"),
        ({"iam": {"permissions_boundary_arn": "boundary"}}, "iam.permissions_boundary_arn"),
        ({"bucket": {"adopt": "My_Bucket"}}, "bucket.adopt"),
        ({"iam": {"image_repository_arns": []}}, "iam.image_repository_arns"),
        ({"iam": {"image_repository_arns": ["trainer"]}}, "iam.image_repository_arns[0]"),
        ({"iam": {"image_repository_arns": [f"{REPOSITORY}/a", f"{REPOSITORY}:1"]}}, "iam.image_repository_arns[1]"),
        ({"bucket": {"noncurrent_version_days": -1}}, "bucket.noncurrent_version_days"),
        ({"bucket": {"adopt": "kept-bucket"}, "kms_key": "new"}, "kms_key"),
    ],
)
def test_names_that_aws_would_refuse_are_refused_before(settings: dict[str, Any], key: str) -> None:
    """Names, ids and numbers are judged before anything is synthesised."""
    (problem,) = illegal_names(_read(**settings), "dev")
    assert problem.startswith(f"{key} is ")


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"tags": {"aws:owner": "ml"}}, "tags has 'aws:owner'; "),
        ({"tags": {"Headrace:platform": "other"}}, "tags has 'Headrace:platform'; "),
        ({"suppressions": [{"rule_id": "V999", "reason": "none"}]}, "suppressions has rule_id 'V999'; "),
        ({"suppressions": [{"rule_id": "V38", "reason": " "}]}, "suppressions has no reason for 'V38'; "),
    ],
)
def test_tags_and_suppressions_without_effect_are_refused(settings: dict[str, Any], start: str) -> None:
    """A reserved tag, a rule that does not exist, a reason that is none: one line, with the fix."""
    (problem,) = illegal_names(_read(**settings), "dev")
    assert problem.startswith(start)
    assert "; fix: " in problem


@pytest.mark.parametrize("platform", [None, "ok"])
def test_environment_is_checked_whatever_the_platform_is_called(platform: str | None) -> None:
    """The names of stacks are made of it."""
    with pytest.raises(InvalidInput, match=r"^env is 'my_env'; allowed: [^\n]*$"):
        compose(App(), Target(environment="my_env"), _read(platform=platform))


def test_repositories_by_name_and_by_wildcard_are_legal() -> None:
    """AWS's images lie in repositories that nobody lists one by one."""
    arns = [f"{REPOSITORY}/team.v1", "arn:aws:ecr:*:763104351884:repository/*"]
    assert not list(illegal_names(_read(iam={"image_repository_arns": arns}), "dev"))


def test_illegal_names_do_not_hide_other_mistakes() -> None:
    """The parts are judged with sound names, and everything is reported in one go."""
    settings = _read(
        region="us-east-1",
        job_name_prefix="Prod-",
        kms_key=KEY.replace("us-east-1", "eu-west-1"),
        tags={"aws:owner": "ml"},
        data_locations=[{"bucket": "birds-bucket", "prefix": "sets/", "kms_key_arn": "alias/birds"}],
        suppressions=[{"rule_id": "V39", "reason": ""}],
        efs={"performance_mode": "maxIO"},
        lustre={"storage_capacity_gib": 3600},
    )
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="My_Env"), settings)
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "env",
        "job_name_prefix",
        "suppressions",
        "tags",
        "V89",
        "V73",
        "V39",
        "V2",
    ]


def test_committed_settings_can_be_adopted_by_what_the_error_says() -> None:
    """prod with the kept bucket is refused, in lines that say what to leave out or change, and passes without it."""
    prod = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["headrace"]["prod"]
    adopted = {**prod, "bucket": {**prod["bucket"], "adopt": "kept-bucket"}}
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="prod"), settings_of({"prod": adopted}, "prod"))
    wrong = [problem.split(" is ")[0] for problem in caught.value.problems]
    assert wrong == ["kms_key", "bucket.intelligent_tiering", "bucket.noncurrent_version_days"]
    adopted |= {"kms_key": KEY, "bucket": {"adopt": "kept-bucket"}}
    compose(App(), Target(environment="prod"), settings_of({"prod": adopted}, "prod"))


def test_committed_settings_have_legal_names() -> None:
    """The environments of cdk.json pass, and are those that the documentation names."""
    context = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["headrace"]
    assert set(context) == {"dev", "prod"}
    assert not [line for name in context for line in illegal_names(settings_of(context, name), name)]


def test_mistakes_of_all_parts_come_together() -> None:
    """A refused network does not hide what is wrong with data locations, EFS, Lustre and own ingestion."""
    settings = _read(
        region="us-east-1",
        network={"cidr": "10.0.0.0/8", "availability_zone_ids": ["use1-az1"]},
        data_locations=[{"bucket": "Bad_Bucket", "prefix": "x/"}],
        efs={"performance_mode": "maxIO"},
        lustre={"storage_capacity_gib": 3600},
        own_ingestion={"dw": {"statements": [{"actions": ["*"], "resources": ["*"]}]}},
    )
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="dev"), settings)
    found = [problem.split()[0] for problem in caught.value.problems]
    assert sorted(found) == ["V103", "V105", "V2", "V39", "V70", "V77"]


EXPORTING = {"name": "a", "path": "/a", "prefix": "data/a/", "export": True}


@pytest.mark.parametrize(
    ("settings", "rule_id"),
    [
        ({"region": "eu-west-1", "kms_key": KEY, "network": IN_IRELAND}, "V89"),
        ({"lustre": {"storage_capacity_gib": 1200, "links": [EXPORTING]}}, "V67"),
        ({"region": "cn-north-1", "network": {**NETWORK, "availability_zone_ids": ["cnn1-az1"]}}, "V90"),
    ],
)
def test_wrong_values_that_only_the_deployment_would_find_are_refused(settings: dict[str, Any], rule_id: str) -> None:
    """A key elsewhere, an export of nothing and a Region in China are errors by rule id, one line each."""
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="dev"), _read(**settings))
    assert [problem.split()[0] for problem in caught.value.problems] == [rule_id]


def test_wrong_key_hides_no_other_mistake() -> None:
    """Key, bucket, roles and network are judged apart from each other."""
    settings = _read(
        region="eu-west-1",
        kms_key=KEY,
        bucket={"adopt": "kept-bucket", "intelligent_tiering": True},
        iam={"name_prefix": "a" * 32, "path": "/ml/"},
        network={"cidr": "10.0.0.0/8", "availability_zone_ids": ["euw1-az1"]},
    )
    with pytest.raises(InvalidInput) as caught:
        compose(App(), Target(environment="a-rather-long-name"), settings)
    starts = {problem.split()[0] for problem in caught.value.problems}
    assert starts == {"V89", "bucket.intelligent_tiering", "IAM", "V77"}


@pytest.mark.parametrize(
    ("kms_key", "location_key", "links", "noted"),
    [
        (KEY, None, [], ["data"]),
        ("new", None, [], []),
        ("aws", KEY, [{"name": "birds", "path": "/b", "prefix": "sets/", "bucket": "birds-bucket"}], ["birds"]),
        (KEY, None, [{"name": "birds", "path": "/b", "prefix": "sets/", "bucket": "birds-bucket"}], []),
    ],
)
def test_links_to_buckets_with_somebodys_key_are_noted(
    kms_key: str, location_key: str | None, links: list[dict[str, str]], noted: list[str]
) -> None:
    """The platform writes FSx into the policy of its own key; of others it can only say what has to be there."""
    lustre: dict[str, Any] = {"storage_capacity_gib": 1200, **({"links": links} if links else {})}
    birds = {"bucket": "birds-bucket", "prefix": "sets/", "kms_key_arn": location_key}
    settings = _read(region="us-east-1", kms_key=kms_key, data_locations=[birds], lustre=lustre)
    (stack,) = (each for each in compose(App(), Target(environment="dev"), settings) if isinstance(each, SharedLustre))
    found = Annotations.from_stack(stack).find_info("*", Match.string_like_regexp("^V24 INFO"))
    assert [str(each.entry.data).split(".")[1] for each in found] == noted


def test_unknown_zone_of_a_file_system_names_the_networks_zones() -> None:
    """A zone that the network does not have is refused with those that it has."""
    settings = _read(region="us-east-1", lustre={"storage_capacity_gib": 1200, "zone": "use1-az9"})
    with pytest.raises(InvalidInput, match=r"lustre.zone is 'use1-az9'; allowed: use1-az1"):
        compose(App(), Target(environment="dev"), settings)
