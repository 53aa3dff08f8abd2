"""What an environment costs a month: counted from its settings, held against what is deployed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from headrace.errors import InvalidInput
from headrace.figures.prices import Item, Price, Prices, prices
from headrace.figures.snapshot import read_snapshot

from stacks import monthly_cost as room
from stacks.composition import Target, compose
from stacks.monthly_cost import MonthlyCost, lines, main, monthly_cost
from stacks.platform_options import platform_options
from stacks.settings import EnvironmentSettings, settings_of

ROOT = Path(__file__).parent.parent
CDK_JSON = ROOT / "cdk.json"
NETWORK = {"cidr": "10.64.0.0/20", "availability_zone_ids": ["use1-az1", "use1-az2"]}
VIRGINIA = prices("us-east-1")
OFF: dict[str, Any] = {"lustre": {"enabled": False}, "efs": {"enabled": False}, "ephemeral": {"enabled": False}}


def settings(**given: Any) -> EnvironmentSettings:
    """An environment in us-east-1."""
    return settings_of({"dev": {"region": "us-east-1", "network": NETWORK, **given}}, "dev")


def standing(cost: MonthlyCost) -> dict[str, tuple[str, float | None]]:
    """What stands there: how much of it, and US dollars a month."""
    return {each.what: (each.units, None if each.usd is None else round(each.usd, 4)) for each in cost.standing}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (OFF, {}),
        ({}, {"shared Lustre, SCRATCH_2": ("1,200 GiB", 168), "alarms": ("10 alarms", 1)}),
        (OFF | {"kms_key": "new"}, {"KMS key": ("1 key", 1)}),
        (OFF | {"kms_key": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"}, {}),
        (
            OFF | {"lustre": {"dataset_gib": 3000, "idle_alarm_hours": None}},
            {"shared Lustre, SCRATCH_2": ("4,800 GiB", 672)},
        ),
        (
            OFF
            | {
                "lustre": {
                    "deployment_type": "PERSISTENT_2",
                    "storage_capacity_gib": 2400,
                    "per_unit_storage_throughput_mbps_per_tib": 125,
                    "idle_alarm_hours": None,
                }
            },
            {"shared Lustre, PERSISTENT_2, 125 MB/s per TiB": ("2,400 GiB", 348)},
        ),
        # a throughput whose price is not known has none
        (
            OFF
            | {
                "lustre": {
                    "deployment_type": "PERSISTENT_2",
                    "storage_capacity_gib": 2400,
                    "per_unit_storage_throughput_mbps_per_tib": 500,
                    "idle_alarm_hours": None,
                }
            },
            {"shared Lustre, PERSISTENT_2, 500 MB/s per TiB": ("2,400 GiB", None)},
        ),
        (
            OFF | {"network": {**NETWORK, "interface_endpoints": {"sts": True, "logs": True, "monitoring": False}}},
            {"interface endpoints logs, sts in 2 zones": ("4 endpoints", 29.2)},
        ),
        (
            OFF | {"efs": {"throughput_mode": "provisioned", "provisioned_throughput_mibps": 128}},
            {"EFS, provisioned throughput": ("128 MiB/s", 768)},
        ),
        # neither a capacity nor a size: the rules refuse it, and nothing is counted
        (OFF | {"lustre": {"idle_alarm_hours": None}}, {}),
        (OFF | {"lustre": {"dataset_gib": -1, "idle_alarm_hours": None}}, {}),
        (
            OFF | {"lustre": {"storage_capacity_gib": 12_000_000, "idle_alarm_hours": None}},
            {"shared Lustre, SCRATCH_2": ("12,000,000 GiB", 1_680_000)},
        ),
    ],
)
def test_what_stands_there_costs_whether_it_is_used_or_not(
    given: dict[str, Any], expected: dict[str, tuple[str, float | None]]
) -> None:
    """By item: GiB times price, endpoints times zones times hours."""
    assert standing(monthly_cost(settings(**given), VIRGINIA)) == expected


PRELOAD = {"storage_capacity_gib": 1200, "preload": {"image": "loader:1"}}


@pytest.mark.parametrize(
    "given",
    [
        {},
        OFF,
        {"lustre": PRELOAD, "kms_key": "new"},
        {"lustre": {"storage_capacity_gib": 1200, "idle_alarm_hours": None}},
        {"ephemeral": {"enabled": False}, "network": {**NETWORK, "interface_endpoints": {"sts": True, "logs": True}}},
        {
            "network": {
                "existing": {
                    "vpc_id": "vpc-0123456789abcdef0",
                    "subnets": [
                        {"subnet_id": "subnet-0123456789abcdef0", "az_id": "use1-az1"},
                        {"subnet_id": "subnet-0123456789abcdef1", "az_id": "use1-az1"},
                        {"subnet_id": "subnet-0123456789abcdef2", "az_id": "use1-az2"},
                    ],
                    "route_table_ids": ["rtb-0123456789abcdef0"],
                },
                "interface_endpoints": {"sts": True},
            }
        },
    ],
)
def test_what_is_counted_is_what_is_deployed(given: dict[str, Any]) -> None:
    """Alarms, endpoints in their zones, keys, GiB and flow logs of the templates."""
    chosen = settings(**given)
    resources = [
        resource
        for stack in compose(App(), Target(environment="dev", default_account="123456789012"), chosen)
        for resource in Template.from_stack(stack).to_json()["Resources"].values()
    ]
    of = Counter(each["Type"] for each in resources)
    endpoints = [
        len(each["Properties"]["SubnetIds"])
        for each in resources
        if each["Type"] == "AWS::EC2::VPCEndpoint" and each["Properties"]["VpcEndpointType"] == "Interface"
    ]
    gib = [each["Properties"]["StorageCapacity"] for each in resources if each["Type"] == "AWS::FSx::FileSystem"]
    deployed = {
        "alarms": of["AWS::CloudWatch::Alarm"],
        "endpoints": sum(endpoints),
        "key": of["AWS::KMS::Key"],
        "GiB": sum(gib),
    }
    cost = monthly_cost(chosen, VIRGINIA)
    counted = {each.units.split()[-1]: each.quantity for each in cost.standing}
    assert counted == {unit: number for unit, number in deployed.items() if number}
    assert ("flow logs" in [each.what for each in cost.by_use]) == (of["AWS::EC2::FlowLog"] == 1)


def test_what_is_used_costs_by_what_is_used() -> None:
    """No setting tells how much that is. An adopted file system keeps its mode."""

    def by_use(**given: Any) -> dict[str, float | None]:
        return {each.what: each.usd_per_unit for each in monthly_cost(settings(**given), VIRGINIA).by_use}

    elastic = {"EFS, elastic reads": 0.03, "EFS, elastic writes": 0.06}
    always = {"S3 Standard": 0.023, "flow logs": 0.5}
    assert by_use() == {**always, "EFS Standard": 0.3, **elastic}
    assert by_use(efs={"one_zone": True, "throughput_mode": "bursting"}) == {**always, "EFS One Zone": 0.16}
    assert by_use(efs={"adopt": "fs-0123456789abcdef0"}) == {**always, "EFS Standard": 0.3}
    assert by_use(**OFF, network={**NETWORK, "flow_logs": False}) == {"S3 Standard": 0.023}


def test_ephemeral_lustre_costs_at_most_what_its_cap_allows() -> None:
    """All of it, all month."""
    (most,) = monthly_cost(settings(ephemeral={"max_gib": 4800}), VIRGINIA).at_most
    assert most.usd == pytest.approx(672)
    assert monthly_cost(settings(**OFF), VIRGINIA).at_most == ()


def test_what_is_unknown_is_in_no_sum() -> None:
    """It is said to be unknown, and counted."""
    only_alarms = Prices(
        region="eu-west-9", of={(Item.ALARM_MONTH, ""): Price(usd=0.2, source="a source", date="2026-11-26")}
    )
    told = list(lines(monthly_cost(settings(), only_alarms)))
    assert next(line for line in told if "shared Lustre" in line).split()[-1] == "unknown"
    assert next(line for line in told if "together" in line).split("or not")[1].strip() == (
        "$2.00, and 1 of unknown price"
    )
    assert any("S3 Standard: unknown for a GB-month stored" in line for line in told)
    assert any("as much as the cap allows, all month, 9,600 GiB: unknown" in line for line in told)


def run(capsys: pytest.CaptureFixture[str], *arguments: str, cdk_json: Path = CDK_JSON) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = main(arguments, cdk_json)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_of_this_repository_has_its_costs_with_their_dates(
    environment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that stands there has a price; each is dated, as the figures are."""
    code, out, err = run(capsys, environment)
    assert (code, err) == (0, "")
    first, *rest = out.splitlines()
    date = read_snapshot().date
    assert first == f"monthly cost of {environment} in us-east-1, list prices of the shipped figures, {date}:"
    assert "unknown" not in out
    priced = [line for line in rest if "$" in line and "together" not in line]
    assert priced
    assert all("(as of 20" in line for line in priced)
    assert "  by use: S3 Standard: $0.023 for a GB-month stored (as of 2026-08-31)" in rest
    assert any(line.startswith("  by use: EFS Standard: $0.30 for a GB-month stored") for line in rest)
    assert any("not counted: training jobs" in line for line in rest)


def written(directory: Path, **environment: Any) -> Path:
    """A cdk.json with this environment."""
    path = directory / "cdk.json"
    path.write_text(json.dumps({"context": {"headrace": {"dev": {"network": NETWORK, **environment}}}}))
    return path


def test_prices_come_from_the_file_that_the_settings_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Relative to cdk.json, wherever make runs."""
    block = {
        "region": "eu-west-1",
        "source": "a source",
        "date": "2026-12-01",
        "usd_per": {"lustre_scratch_2_gb_month": 0.5},
    }
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "eu.json").write_text(
        json.dumps({"format_version": 1, "date": "2026-12-02", "instance_types": [], "prices": [block]})
    )
    cdk_json = written(tmp_path, region="eu-west-1", prices="prices/eu.json")
    code, out, _ = run(capsys, "dev", cdk_json=cdk_json)
    assert code == 0
    assert out.startswith("monthly cost of dev in eu-west-1, list prices of prices/eu.json, 2026-12-02:\n")
    assert "$600.00  (as of 2026-12-01)" in out


def test_a_region_without_prices_is_told_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell's Region counts where the settings have none; without any, nothing has a price."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-9")
    code, out, _ = run(capsys, "dev", cdk_json=written(tmp_path))
    assert code == 0
    assert "monthly cost of dev in eu-west-9" in out
    assert "no price of eu-west-9 is known: headrace prices update --region REGION" in out
    monkeypatch.delenv("AWS_REGION")
    assert "in an unknown Region" in run(capsys, "dev", cdk_json=written(tmp_path))[1]
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert "$168.00" in run(capsys, "dev", cdk_json=written(tmp_path))[1]


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        ((), {}, "usage: python -m stacks.monthly_cost ENV"),
        (("stage",), {}, "env is 'stage'; allowed: dev"),
        (("dev",), {"prices": "none.json"}, "none.json: no such file"),
        (("dev",), {"prices": 3}, "headrace.dev.prices is 3"),
    ],
)
def test_a_mistake_is_one_line_and_stops_the_deployment(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    environment: dict[str, Any],
    line: str,
) -> None:
    """Exit code 2, before anything is deployed."""
    code, out, err = run(capsys, *arguments, cdk_json=written(tmp_path, **environment))
    assert (code, out) == (2, "")
    assert line in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("text", [None, "", "{", "[]", "null", "{}", '{"context": []}', "\xff"])
def test_a_broken_cdk_json_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    """Missing, no JSON, or none of the settings."""
    path = tmp_path / "cdk.json"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    code, out, err = run(capsys, "dev", cdk_json=path)
    assert (code, out) == (2, "")
    assert "fix: restore it" in err
    assert len(err.splitlines()) == 1
    with pytest.raises(InvalidInput, match="fix: restore it"):
        platform_options("dev", path)


def test_make_prints_the_costs_before_it_deploys() -> None:
    """Of the environment that it deploys."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ndeploy:")[1].split("\n\n")[0].splitlines()[1:]
    assert [line.strip() for line in recipe] == [
        f"@$(BIN)/python -m {room.__name__} $(env)",
        "@$(CDK) deploy $(CDK_OPTIONS) --all",
    ]
