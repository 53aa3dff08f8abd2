"""CloudFormation types of the ephemeral stack in the embedded AWS: machines, rules, topics, alarms, log groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.state_machines import ROLE, Machines
from tests.training_jobs import until

SUB = "${Name} and ${Count}"
DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "End",
    "States": {"End": {"Type": "Pass", "Output": SUB, "End": True}},
}


class Stack:
    """One stack with a name of its own."""

    def __init__(self, session: boto3.Session, resources: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        self.client, self.name = session.client("cloudformation"), f"stack-{uuid4().hex[:12]}"
        shown = {name: {"Value": value} for name, value in outputs.items()}
        body = json.dumps({"Resources": resources, **({"Outputs": shown} if shown else {})})
        self.client.create_stack(StackName=self.name, TemplateBody=body)
        found = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        self.status = found["StackStatus"], found.get("StackStatusReason", "")
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def delete(self) -> str:
        """Delete it, and say how that ended."""
        identifier = self.client.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.client.delete_stack(StackName=self.name)
        return str(self.client.describe_stacks(StackName=identifier)["Stacks"][0]["StackStatus"])


def _get(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


@pytest.mark.parametrize("form", ["DefinitionString", "Definition"])
def test_a_machine_of_a_stack_runs(aws_session: boto3.Session, form: str) -> None:
    """With substitutions made, tags and configurations kept; moto puts it where no execution finds it."""
    definition = json.dumps(DEFINITION) if form == "DefinitionString" else DEFINITION
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            form: definition,
            "DefinitionSubstitutions": {"Name": "a", "Count": 3},
            "RoleArn": ROLE,
            "StateMachineType": "STANDARD",
            "Tags": [{"Key": "headrace:platform", "Value": "dev"}],
            "LoggingConfiguration": {"Level": "ERROR", "IncludeExecutionData": "true", "Destinations": []},
            "TracingConfiguration": {"Enabled": True},
        },
    }
    outputs = {"Ref": {"Ref": "M"}, "Arn": _get("M", "Arn"), "Name": _get("M", "Name")}
    stack = Stack(aws_session, {"M": machine}, outputs)
    assert stack.status == ("CREATE_COMPLETE", "")
    arn, machines = stack.outputs["Arn"], Machines(aws_session)
    assert stack.outputs["Ref"] == arn == f"arn:aws:states:us-east-1:123456789012:stateMachine:{stack.outputs['Name']}"
    assert json.loads(machines.end(machines.start(arn))["output"]) == "a and 3"
    described = machines.client.describe_state_machine(stateMachineArn=arn)
    assert described["loggingConfiguration"]["level"] == "ERROR"
    assert described["tracingConfiguration"] == {"enabled": True}
    tags = machines.client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "headrace:platform", "value": "dev"}]
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(machines.client.exceptions.StateMachineDoesNotExist):
        machines.client.describe_state_machine(stateMachineArn=arn)


def test_a_machine_and_an_alarm_are_changed_in_place(aws_session: boto3.Session) -> None:
    """An update of the stack; another name is an error that says what to do."""

    def template(name: str, threshold: int, **members: str) -> dict[str, Any]:
        substitutions = {"Name": name, "Count": 1}
        machine = {"Definition": DEFINITION, "DefinitionSubstitutions": substitutions, "RoleArn": ROLE, **members}
        alarm = {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed", "Statistic": "Sum", "Period": 300}
        condition = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": threshold}
        return {
            "M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
            "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {**alarm, **condition}},
        }

    outputs = {"M": {"Ref": "M"}, "A": {"Ref": "A"}}
    stack = Stack(aws_session, template("a", 1), outputs)
    machines, cloudwatch = Machines(aws_session), aws_session.client("cloudwatch")
    for resources, status in (
        (template("b", 2), "UPDATE_COMPLETE"),
        (template("b", 2, StateMachineName="x"), "FAILED"),
    ):
        stack.client.update_stack(StackName=stack.name, TemplateBody=json.dumps({"Resources": resources}))
        found = stack.client.describe_stacks(StackName=stack.name)["Stacks"][0]
        assert found["StackStatus"].endswith(status), found
        assert json.loads(machines.end(machines.start(stack.outputs["M"]))["output"]) == "b and 1"
        assert cloudwatch.describe_alarms(AlarmNames=[stack.outputs["A"]])["MetricAlarms"][0]["Threshold"] == 2
    assert "cannot give a machine another name" in found["StackStatusReason"]


def test_a_machine_that_cannot_be_read_fails_the_stack(aws_session: boto3.Session) -> None:
    """With the reason."""
    properties = {"DefinitionString": '{"StartAt": "A"}', "RoleArn": ROLE}
    stack = Stack(aws_session, {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}, {})
    assert stack.status[0] == "ROLLBACK_COMPLETE"
    unknown = {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {**properties, "Nonsense": 1}}}
    refused = Stack(aws_session, unknown, {})
    events = refused.client.describe_stack_events(StackName=refused.name)["StackEvents"]
    assert "does not apply Nonsense" in str([each.get("ResourceStatusReason") for each in events])


def test_a_rule_of_a_stack_starts_its_machine(aws_session: boto3.Session) -> None:
    """The rule with its targets, and both go with the stack."""
    pass_input = {**DEFINITION, "States": {"End": {"Type": "Succeed"}}}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"Definition": pass_input, "RoleArn": ROLE}}
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"status": ["FAILED"], "stateMachineArn": [{"Ref": "Flow"}]},
            },
            "Targets": [
                {
                    "Arn": {"Ref": "Teardown"},
                    "Id": "Target0",
                    "RoleArn": ROLE,
                    "InputTransformer": {
                        "InputPathsMap": {"detail-executionArn": "$.detail.executionArn"},
                        "InputTemplate": '{"Owner":<detail-executionArn>}',
                    },
                }
            ],
        },
    }
    failing = {**DEFINITION, "States": {"End": {"Type": "Fail", "Error": "Test.Failed"}}}
    flow = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"Definition": failing, "RoleArn": ROLE}}
    outputs = {"Flow": {"Ref": "Flow"}, "Teardown": {"Ref": "Teardown"}, "Rule": _get("Rule", "Arn")}
    stack = Stack(aws_session, {"Rule": rule, "Flow": flow, "Teardown": machine}, outputs)
    assert stack.status == ("CREATE_COMPLETE", "")
    machines, events = Machines(aws_session), aws_session.client("events")
    flow_execution = machines.start(stack.outputs["Flow"])
    teardown = stack.outputs["Teardown"]
    until(lambda: bool(machines.client.list_executions(stateMachineArn=teardown)["executions"]), 10)
    started = machines.client.list_executions(stateMachineArn=teardown)["executions"]
    given = [
        json.loads(machines.client.describe_execution(executionArn=each["executionArn"])["input"]) for each in started
    ]
    assert given == [{"Owner": flow_execution}]
    name = stack.outputs["Rule"].rpartition("/")[2]
    assert stack.delete() == "DELETE_COMPLETE"
    assert name not in [each["Name"] for each in events.list_rules()["Rules"]]


def test_an_event_that_starts_nothing_goes_to_a_queue(aws_session: boto3.Session) -> None:
    """With the policy that lets EventBridge in, which moto lacks, and the event as it was."""
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": _get("Queue", "Arn")}]}
    missing = "arn:aws:states:us-east-1:123456789012:stateMachine:missing"
    target = {"Id": "T", "Arn": missing, "RoleArn": ROLE, "DeadLetterConfig": {"Arn": _get("Queue", "Arn")}}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document},
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["test.dead-letters"]}, "Targets": [target]},
        },
    }
    stack, sqs = Stack(aws_session, resources, {"Url": {"Ref": "Queue"}}), aws_session.client("sqs")
    assert stack.status == ("CREATE_COMPLETE", "")
    url = stack.outputs["Url"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == attributes["QueueArn"]
    entry = {"Source": "test.dead-letters", "DetailType": "Test", "Detail": json.dumps({"a": 1})}
    aws_session.client("events").put_events(Entries=[entry])
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"a": 1}
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == missing
    assert stack.delete() == "DELETE_COMPLETE"
    assert url not in sqs.list_queues().get("QueueUrls", [])


def test_topics_with_policies_and_subscriptions(aws_session: boto3.Session) -> None:
    """moto lacks both, and TopicArn, and drops tags."""
    tags = [{"Key": "headrace:platform", "Value": "dev"}]
    topic = {"DisplayName": "headrace", "KmsMasterKeyId": "alias/aws/sns", "Tags": tags}
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": {"Ref": "T"}}]}
    properties = {"Protocol": "email", "Endpoint": "team@example.com", "TopicArn": {"Ref": "T"}}
    resources = {
        "T": {"Type": "AWS::SNS::Topic", "Properties": topic},
        "P": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "T"}], "PolicyDocument": document}},
        "S": {"Type": "AWS::SNS::Subscription", "Properties": properties},
    }
    outputs = {"Ref": {"Ref": "T"}, "Arn": _get("T", "TopicArn"), "Name": _get("T", "TopicName")}
    stack, sns = Stack(aws_session, resources, outputs), aws_session.client("sns")
    assert stack.status == ("CREATE_COMPLETE", "")
    arn = stack.outputs["Arn"]
    assert stack.outputs["Ref"] == arn
    assert arn.endswith(f":{stack.outputs['Name']}")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["KmsMasterKeyId"]) == ("headrace", "alias/aws/sns")
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == arn
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [(each["Protocol"], each["Endpoint"]) for each in subscriptions] == [("email", "team@example.com")]
    assert stack.delete() == "DELETE_COMPLETE"
    assert arn not in [each["TopicArn"] for each in sns.list_topics()["Topics"]]


def test_alarms_and_log_groups(aws_session: boto3.Session) -> None:
    """moto lacks alarms."""
    alarm = {
        "Namespace": "AWS/States",
        "MetricName": "ExecutionsFailed",
        "Dimensions": [{"Name": "StateMachineArn", "Value": "arn:x"}],
        "Statistic": "Sum",
        "Period": "300",
        "EvaluationPeriods": 1,
        "Threshold": "1",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "T"}],
    }
    resources = {
        "T": {"Type": "AWS::SNS::Topic"},
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "G": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
    }
    outputs = {"Alarm": {"Ref": "A"}, "Arn": _get("A", "Arn"), "Group": {"Ref": "G"}, "Topic": {"Ref": "T"}}
    stack = Stack(aws_session, resources, outputs)
    assert stack.status == ("CREATE_COMPLETE", "")
    cloudwatch, logs = aws_session.client("cloudwatch"), aws_session.client("logs")
    found = cloudwatch.describe_alarms(AlarmNames=[stack.outputs["Alarm"]])["MetricAlarms"][0]
    assert (found["AlarmArn"], found["Threshold"], found["Period"]) == (stack.outputs["Arn"], 1.0, 300)
    assert found["AlarmActions"] == [stack.outputs["Topic"]]
    group = logs.describe_log_groups(logGroupNamePrefix=stack.outputs["Group"])["logGroups"][0]
    assert group["retentionInDays"] == 30
    assert stack.delete() == "DELETE_COMPLETE"
    assert cloudwatch.describe_alarms(AlarmNames=[stack.outputs["Alarm"]])["MetricAlarms"] == []
