"""cfn-lint and cdk-nag find nothing that is not excepted by name, at its resource, with a reason.

checkov, which needs an environment of its own, reads the same templates in `.ci/lint_templates`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from stacks.composition import Target, compose
from stacks.settings import settings_of

CDK_JSON = Path(__file__).parent.parent / "cdk.json"
CONTEXT: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
ENVIRONMENTS: dict[str, Any] = {
    **CONTEXT["headrace"],
    "existing-network": {
        "kms_key": KEY,
        "network": {
            "existing": {
                "vpc_id": "vpc-0123456789abcdef0",
                "subnets": [{"subnet_id": "subnet-0123456789abcdef0", "az_id": "use1-az1"}],
                "route_table_ids": ["rtb-0123456789abcdef0"],
            },
            "interface_endpoints": {"sts": True},
        },
        "bucket": {"adopt": "kept-bucket"},
        "lustre": {"storage_capacity_gib": 1200, "preload": {"image": "digits:1"}},
        "efs": {"adopt": "fs-0123456789abcdef0"},
        "data_locations": [{"bucket": "elsewhere-bucket", "prefix": "sets/birds/", "kms_key_arn": KEY}],
        "iam": {"name_prefix": "ml-", "path": "/ml/"},
        "own_ingestion": {
            "warehouse": {
                "statements": [
                    {"actions": ["glue:Get*"], "resources": ["arn:aws:glue:us-east-1:123456789012:table/warehouse/*"]},
                    {"actions": ["redshift-data:DescribeStatement"], "resources": ["*"], "reason": "takes no resource"},
                ]
            }
        },
    },
    "s3-only-by-zone-name": {
        "region": "eu-west-1",
        "network": {"cidr": "10.0.0.0/16", "availability_zones": ["eu-west-1a"], "flow_logs": False},
        "efs": {"enabled": False},
        "lustre": {"enabled": False},
    },
}


def _app(environment: str, out: Path) -> App:
    app = App(context=CONTEXT, outdir=str(out))
    compose(app, Target(environment=environment), settings_of(ENVIRONMENTS, environment))
    return app


def _nag(app: App, out: Path) -> list[str]:
    """What cdk-nag finds when ``app`` is synthesised: rule and constructs."""
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    with suppress(RuntimeError):  # findings fail the synth; the report says which
        app.synth()
    report = json.loads((out / "validation-report.json").read_text(encoding="utf-8"))
    violations = (each for plugin in report["pluginReports"] for each in plugin["violations"])
    return [
        f"{each['ruleName']} {construct['constructPath']}"
        for each in violations
        for construct in each["violatingConstructs"]
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cdk_nag_finds_nothing(environment: str, tmp_path: Path) -> None:
    """AwsSolutions is satisfied, or the construct says why not."""
    assert _nag(_app(environment, tmp_path), tmp_path) == []


def test_cdk_nag_is_awake(tmp_path: Path) -> None:
    """A bucket without any guard is found, so that an empty list means something."""
    app = App(outdir=str(tmp_path))
    s3.Bucket(Stack(app, "Test"), "Bucket")
    assert "AwsSolutions-S1 Test/Bucket/Resource" in _nag(app, tmp_path)


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """Every template of every environment is valid CloudFormation, warnings included."""
    for environment in ENVIRONMENTS:
        _app(environment, tmp_path / environment).synth()
    templates = sorted(str(each) for each in tmp_path.glob("*/*.template.json"))
    assert templates
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([cfn_lint, *templates], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_exception_in_a_template_has_a_reason(environment: str, tmp_path: Path) -> None:
    """What checkov is told to skip is named one by one, with a sentence that says why."""
    _app(environment, tmp_path).synth()
    skips = [
        skip
        for template in tmp_path.glob("*.template.json")
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert skips
    assert all(skip["id"].startswith("CKV") and len(skip["comment"].split()) >= 5 for skip in skips)
