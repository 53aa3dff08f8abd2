"""The self-contained templates: valid, small, closed in themselves, and the same platform as the CDK stacks make."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from headrace.rules.efs import EFS_RULES, LIFECYCLE_DAYS, EfsSpec
from headrace.rules.finding import run_rules
from headrace.rules.lustre import DEFAULT_QUOTA_GIB
from headrace.rules.lustre_one_link import LinkSpec, prefix_is_legal
from headrace.rules.lustre_sizing import is_legal_capacity
from headrace.rules.network_addresses import cidr_is_legal
from headrace.rules.network_spec import NetworkSpec
from headrace.rules.places import ZONE_ID

from stacks.composition import Target, compose
from stacks.names import allowed, illegal_names
from stacks.portable import __main__ as portable_command
from stacks.portable import templates as portable
from stacks.portable.parameters import INTERFACE
from stacks.portable.templates import EXISTING_VPC, LUSTRE, MAX_TEMPLATE_BYTES, NEW_VPC
from stacks.settings import EnvironmentSettings, IamSettings, NetworkSettings, settings_of

ROOT = Path(__file__).parent.parent
NAMES = [NEW_VPC, EXISTING_VPC, LUSTRE]
LOOKED_UP_BY_THE_CONSOLE = ("AWS::EC2::VPC::Id", "AWS::EC2::Subnet::Id")


@cache
def _templates() -> dict[str, dict[str, Any]]:
    return portable.portable_templates()


@cache
def _cdk_stacks() -> dict[str, dict[str, Any]]:
    """The stacks of the environment dev, by part."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    stacks = compose(App(context=context), Target(environment="dev"), settings_of(context["headrace"], "dev"))
    return {stack.stack_name.rsplit("-", 1)[-1]: Template.from_stack(stack).to_json() for stack in stacks}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("Ref"), str):
            yield part["Ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def _imports(part: Any, values: Mapping[str, str]) -> Iterator[str]:
    """The names that are imported, with ``values`` for the Parameters in them."""
    if isinstance(part, dict):
        if "Fn::ImportValue" in part:
            pieces = part["Fn::ImportValue"]["Fn::Join"][1]
            yield "".join(each if isinstance(each, str) else values[each["Ref"]] for each in pieces)
        for each in part.values():
            yield from _imports(each, values)
    elif isinstance(part, list):
        for each in part:
            yield from _imports(each, values)


def _types(template: Mapping[str, Any]) -> set[str]:
    return {each["Type"] for each in template["Resources"].values()}


def _rights(template: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """(description of the policy without the platform's name, statement, action) of every managed policy."""
    found = set()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            description = json.dumps(resource["Properties"]["Description"])
            purpose = re.findall(r": ([a-z-]+)", description)[-1]
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    found.add((purpose, statement["Sid"], action))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_template_can_be_sent_without_a_bucket(name: str) -> None:
    """CreateStack and the console take 51,200 bytes; descriptions with other characters than ASCII are mangled."""
    text = portable.text_of(_templates()[name])
    assert text.isascii()
    assert len(text) < MAX_TEMPLATE_BYTES


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """Every template, as it is written, is valid CloudFormation, warnings included."""
    written = [str(each) for each in portable.write(tmp_path) if each.suffix == ".json"]
    assert len(written) == len(NAMES)
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([cfn_lint, *written], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    """AwsSolutions is satisfied, or the construct says why not (test_templates_lint shows that it is awake)."""
    app = App(outdir=str(tmp_path), context=portable.CONTEXT)
    portable.add_stacks(app)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    rules = {each["ruleName"] for plugin in report["pluginReports"] for each in plugin["violations"]}
    assert not [rule for rule in rules if rule.startswith("AwsSolutions")]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_needs_nothing_but_cloudformation(name: str) -> None:
    """No Lambda, custom resource, asset, bootstrap or macro."""
    template = _templates()[name]
    assert not [each for each in _types(template) if each.startswith(("AWS::Lambda", "Custom::", "AWS::CloudForm"))]
    text = portable.text_of(template)
    assert not [each for each in ("cdk-hnb659fds", "BootstrapVersion", "aws:asset") if each in text]
    assert "Transform" not in template


def test_the_lustre_template_imports_what_a_foundation_exports() -> None:
    """By names that begin with the stack's name, and not by names that the CDK has made up; it exports nothing."""
    lustre = _templates()[LUSTRE]
    imported = {
        name for zone in ("1", "2") for name in _imports(lustre, {"ZoneNumber": zone, "FoundationStackName": "X"})
    }
    assert len(imported) > 5
    for foundation in (NEW_VPC, EXISTING_VPC):
        exports = [each["Export"]["Name"]["Fn::Join"] for each in _templates()[foundation]["Outputs"].values()]
        assert imported <= {"X".join(["", *pieces[1:]]) for _, pieces in exports}
        assert all(pieces[0] == {"Ref": "AWS::StackName"} for _, pieces in exports)
        assert "Fn::ImportValue" not in portable.text_of(_templates()[foundation])
    assert not [each for each in lustre["Outputs"].values() if "Export" in each]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_says_what_it_may_be(name: str) -> None:
    """No Parameter takes just anything: it has a list, a pattern or a range with its words, or the console's list."""
    for parameter, each in _templates()[name]["Parameters"].items():
        listed = "AllowedValues" in each or each["Type"] in LOOKED_UP_BY_THE_CONSOLE
        described = "ConstraintDescription" in each and (
            "AllowedPattern" in each or {"MinValue", "MaxValue"} <= set(each)
        )
        assert listed or described, parameter
        assert each["Description"], parameter


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_used_and_shown(name: str) -> None:
    """What somebody fills in has an effect on a resource, and has its place and label in the console."""
    template = _templates()[name]
    parameters = set(template["Parameters"])
    in_effect = set(_references(template["Resources"])) | set(_references(template["Conditions"]))
    assert parameters <= in_effect
    interface = template["Metadata"][INTERFACE]
    shown = [each for group in interface["ParameterGroups"] for each in group["Parameters"]]
    assert sorted(shown) == sorted(parameters)
    assert set(interface["ParameterLabels"]) == parameters


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_allowed(name: str) -> None:
    """A default keeps the constraint that stands beside it."""
    for parameter, each in _templates()[name]["Parameters"].items():
        if "Default" in each:
            assert each["Default"] in each.get("AllowedValues", [each["Default"]]), parameter
            assert re.fullmatch(each.get("AllowedPattern", ".*"), each["Default"]), parameter


def _takes(template: str, parameter: str, value: str) -> bool:
    return re.fullmatch(_templates()[template]["Parameters"][parameter]["AllowedPattern"], value) is not None


BLOCKS = [
    *(
        f"10.{second}.{third}.0/{length}"
        for second in (0, 255)
        for third in (0, 16, 40, 128, 240)
        for length in range(15, 22)
    ),
    *("10.0.0.0", "10.0.0.1/16", "256.0.0.0/16", "10.0.0.0/016", "10.0.0/16", "fd00::/16", "", "010.0.0.0/16"),
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_address_block_is_what_the_rule_takes(block: str) -> None:
    """Of /16 to /20, in which four subnets have room, the pattern takes exactly what rule V77 takes."""
    in_range = block.rpartition("/")[2] in {"16", "17", "18", "19", "20"}
    legal = in_range and not list(run_rules([cidr_is_legal], NetworkSpec(cidr=block)))
    assert _takes(NEW_VPC, "VpcCidr", block) == legal


@pytest.mark.parametrize("value", ["a", "team-a", "a" * 30, "a" * 31, "", "A", "1a", "-a", "a_b", "a\n", "dev/x"])
def test_the_platform_is_named_as_the_settings_name_it(value: str) -> None:
    """The pattern takes exactly the names that are legal for the CDK stacks."""
    settings = EnvironmentSettings(network=NetworkSettings(), platform=value)
    illegal = [each for each in illegal_names(settings, "dev") if each.startswith("platform is")]
    assert _takes(NEW_VPC, "PlatformName", value) == (not illegal)
    assert _templates()[NEW_VPC]["Parameters"]["PlatformName"]["ConstraintDescription"] == allowed("platform")


@pytest.mark.parametrize("value", ["/", "/ml/", "/a/b/", "ml/", "/ml", "", "//", "/a b/"])
def test_an_iam_path_is_what_the_settings_take(value: str) -> None:
    """The pattern takes exactly the paths that are legal for the CDK stacks."""
    settings = EnvironmentSettings(network=NetworkSettings(), iam=IamSettings(path=value))
    illegal = [each for each in illegal_names(settings, "dev") if each.startswith("iam.path is")]
    assert _takes(NEW_VPC, "IamPath", value) == (not illegal)


@pytest.mark.parametrize("value", ["use1-az1", "apne1-az12", "us-east-1a", "use1-az", "USE1-AZ1", "", "use1-az1 "])
def test_zones_are_given_by_id(value: str) -> None:
    """The pattern takes exactly what the rules take for a zone's id."""
    assert _takes(NEW_VPC, "ZoneId1", value) == (ZONE_ID.fullmatch(value) is not None)


@pytest.mark.parametrize("value", ["data/", "data/a/", "data/a.b_c-d/e/", "data/..a/"])
def test_a_prefix_below_data_can_be_linked(value: str) -> None:
    """What the pattern takes keeps the rule of links."""
    assert _takes(LUSTRE, "DataPrefix", value)
    assert not list(run_rules([prefix_is_legal], LinkSpec(name="data", prefix=value)))


@pytest.mark.parametrize(
    "value", ["", "data", "other/", "data//", "data/../code/", "data/./", "data/a", "data/*/", "/data/"]
)
def test_no_prefix_leaves_data(value: str) -> None:
    """A link shows data/ or what lies below it: a Lustre file system that shows code/ would go round the roles."""
    assert not _takes(LUSTRE, "DataPrefix", value)


def test_capacities_are_all_legal_ones_within_the_quota() -> None:
    """Rule V2 as a list: 1,200 and the multiples of 2,400, up to what an account may have."""
    listed = _templates()[LUSTRE]["Parameters"]["StorageCapacityGib"]["AllowedValues"]
    assert [int(each) for each in listed] == [
        each for each in range(1, DEFAULT_QUOTA_GIB + 1) if is_legal_capacity(each)
    ]


def test_lifecycles_are_all_that_efs_offers() -> None:
    """Rule V86 as a list, in the words of EFS."""
    listed = _templates()[NEW_VPC]["Parameters"]["EfsTransitionToIa"]["AllowedValues"]
    days = [int(each.split("_")[1]) for each in listed if each != "NONE"]
    assert days == list(LIFECYCLE_DAYS)
    assert not [each for days in days for each in run_rules(EFS_RULES, EfsSpec(az_count=2, lifecycle_days=days))]


def test_the_templates_make_what_the_cdk_stacks_make() -> None:
    """The same types of resources; an existing VPC has its own subnets, route tables and flow logs."""
    cdk, ours = _cdk_stacks(), _templates()
    assert _types(ours[NEW_VPC]) == _types(cdk["foundation"])
    assert _types(ours[LUSTRE]) == _types(cdk["lustre"]) - {"AWS::IAM::ManagedPolicy"}  # who may free room on it
    of_a_new_vpc = {
        *("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation"),
        *("AWS::EC2::FlowLog", "AWS::Logs::LogGroup", "AWS::IAM::Policy"),
    }
    assert _types(cdk["foundation"]) - _types(ours[EXISTING_VPC]) <= of_a_new_vpc
    assert _types(ours[EXISTING_VPC]) <= _types(cdk["foundation"])


@pytest.mark.parametrize("name", [NEW_VPC, EXISTING_VPC])
def test_the_roles_have_the_rights_of_the_cdk_stacks(name: str) -> None:
    """Every statement of every policy allows the same actions."""
    rights = _rights(_templates()[name])
    assert rights == _rights(_cdk_stacks()["foundation"])
    assert ("user", "CreateJobsHere", "sagemaker:CreateTrainingJob") in rights


def test_the_readme_names_every_file_parameter_and_output(tmp_path: Path) -> None:
    """It is made from the templates, and is all that a platform team gets beside them."""
    files = portable.write(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    for path in files:
        assert path.suffix == ".md" or path.name in text
    for template in _templates().values():
        for name in (*template["Parameters"], *template["Outputs"]):
            assert f"| `{name}` |" in text


def test_the_command_wants_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one it says how it is called, and writes nothing."""
    assert portable_command.main([]) == 2
    assert "usage: python -m stacks.portable OUTDIR" in capsys.readouterr().err


@pytest.mark.parametrize("name", [NEW_VPC, EXISTING_VPC])
def test_path_and_boundary_reach_every_role(name: str) -> None:
    """An account that demands a boundary refuses the stack for one role without it, the flow log's too."""
    resources = _templates()[name]["Resources"].items()
    roles = {logical: each["Properties"] for logical, each in resources if each["Type"] == "AWS::IAM::Role"}
    assert len(roles) >= 3
    for logical, role in roles.items():
        assert role.get("Path") == {"Ref": "IamPath"}, logical
        assert "PermissionsBoundaryArnIsGiven" in json.dumps(role.get("PermissionsBoundary")), logical
