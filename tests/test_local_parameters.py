"""Parameters in the embedded AWS: each test names a repair of moto and fails when it is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

NUMBER = {"Type": "Number", "MinValue": 1, "MaxValue": 10, "Default": "5", "ConstraintDescription": "from 1 to 10"}
LETTERS = {"Type": "CommaDelimitedList", "AllowedPattern": "^[a-z]$", "Default": "a"}
SIZE = {"Type": "String", "AllowedValues": ["small", "large"], "Default": "small"}
RULE = {
    "RuleCondition": {"Fn::Equals": [{"Ref": "Size"}, "large"]},
    "Assertions": [
        {
            "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Count"}, "5"]}]},
            "AssertDescription": "large is not five",
        }
    ],
}


def _create(session: boto3.Session, parameters: Mapping[str, str], **sections: Any) -> str:
    """Create a stack of one SSM parameter with these Parameters, and give its name."""
    name = f"stack-{uuid4().hex[:12]}"
    template = {
        "Parameters": {"Count": NUMBER, "Letters": LETTERS, "Size": SIZE, "Name": {"Type": "String"}},
        "Resources": {
            "Record": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": {"Ref": "Name"}, "Type": "String", "Value": {"Ref": "Size"}},
            }
        },
        **sections,
    }
    given = {"Name": f"/test/{name}", **parameters}
    session.client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    return name


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"Count": "11"}, "Parameter Count failed to satisfy constraint: from 1 to 10"),
        ({"Count": "0"}, "Parameter Count failed to satisfy constraint: from 1 to 10"),
        ({"Letters": "a,B"}, "Parameter Letters failed to satisfy constraint: must match pattern"),
        ({"Size": "huge"}, "Parameter Size failed to satisfy constraint: must be one of"),
        ({"Size": "large"}, "Rule NotFive: large is not five"),
    ],
)
def test_a_parameter_that_breaks_its_constraint_is_refused(
    aws_session: boto3.Session, parameters: dict[str, str], reason: str
) -> None:
    """Constraints and Rules are looked at before anything is made, each with the template's own reason."""
    with pytest.raises(ClientError, match=reason):
        _create(aws_session, parameters, Rules={"NotFive": RULE})


def test_parameters_that_keep_their_constraints_are_taken(aws_session: boto3.Session) -> None:
    """A value for each of them, and a Rule whose condition and assertion hold."""
    given = {"Count": "10", "Letters": "a,b", "Size": "large"}
    name = _create(aws_session, given, Rules={"NotFive": RULE})
    (stack,) = aws_session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_a_change_set_refuses_wrong_parameters_too(aws_session: boto3.Session) -> None:
    """`aws cloudformation deploy` and the CDK deploy by change sets."""
    template = {"Parameters": {"Size": SIZE}, "Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}}
    with pytest.raises(ClientError, match="Parameter Size failed to satisfy constraint"):
        aws_session.client("cloudformation").create_change_set(
            StackName=f"stack-{uuid4().hex[:12]}",
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "Size", "ParameterValue": "huge"}],
        )


def test_an_unknown_rule_function_is_an_error(aws_session: boto3.Session) -> None:
    """A Rule that nobody here can judge is not taken for one that holds."""
    rule = {"Assertions": [{"Assert": {"Fn::Contains": [["a"], "a"]}, "AssertDescription": "contains"}]}
    with pytest.raises(ClientError, match=r"does not know the rule function Fn::Contains"):
        _create(aws_session, {}, Rules={"Contains": rule})


def test_blocks_are_cut_and_numbers_are_numbers(aws_session: boto3.Session) -> None:
    """Fn::Cidr gives the blocks in order; the default of a Number is no text to a resource that wants a number."""
    name = f"stack-{uuid4().hex[:12]}"
    slices = {"Fn::Cidr": ["10.1.0.0/20", {"Ref": "Blocks"}, "10"]}
    template = {
        "Parameters": {"Blocks": {"Type": "Number", "Default": "4"}},
        "Resources": {
            "Record": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Name": f"/test/{name}",
                    "Type": "String",
                    "Value": {"Fn::ToJsonString": {"blocks": slices, "count": {"Ref": "Blocks"}}},
                },
            }
        },
    }
    aws_session.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    text = aws_session.client("ssm").get_parameter(Name=f"/test/{name}")["Parameter"]["Value"]
    blocks = ["10.1.0.0/22", "10.1.4.0/22", "10.1.8.0/22", "10.1.12.0/22"]
    assert json.loads(text) == {"blocks": blocks, "count": 4}
