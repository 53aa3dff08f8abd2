"""Preload after deployment: whenever its stack has been deployed, a machine loads what the links of a Lustre show.

Each link is loaded once: tags on the file system remember it, so that an update of the stack costs a look. EventBridge
tells of the deployment; where that did not happen, the machine may be started by hand, with any input.
Source: AWS CloudFormation User Guide, "Stack Status Change event detail" and "Stack status codes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace_cdk import machine_policies, preload_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.machine import Machine
from headrace_cdk.machine_alarms import tell_of_failures
from headrace_cdk.machine_policies import machine_name
from headrace_cdk.machine_rule import MachineRule
from headrace_cdk.managed_policy import place_of

PRELOAD = "preload"
DEPLOYED = ["CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"]


class SharedPreload(Construct):
    """``machine``: loads the links of one file system that are not loaded yet."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        file_system_id: str,
        request: Mapping[str, Any],
        topic: sns.ITopic | None = None,
        naming: IamNaming | None = None,
    ) -> None:
        """``request``: of CreateTrainingJob: the job that reads all links, each a channel of the link's name.

        It begins the names of the jobs, and bounds the machine's rights. ``topic``: told when the machine fails.
        Raises InvalidInput for a text in it that Step Functions would evaluate.
        """
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        job_name, network = str(request["TrainingJobName"]), request["VpcConfig"]
        self.machine = Machine(
            self,
            "Machine",
            platform=platform,
            kind=PRELOAD,
            values={},
            given={
                "FileSystemId": file_system_id,
                "Links": [channel["ChannelName"] for channel in request["InputDataConfig"]],
                "JobName": job_name,
                "Request": request,
            },
            naming=naming,
            statements=[
                *machine_policies.look_at_ours("fsx:DescribeDataRepositoryTasks"),
                *machine_policies.run_jobs(
                    place, f"{job_name}-", [request["RoleArn"]], network["Subnets"], network["SecurityGroupIds"]
                ),
                *preload_policies.remember_links(place, file_system_id),
                *preload_policies.see_own_executions(place, machine_name(platform, PRELOAD)),
            ],
        )
        MachineRule(
            self,
            "OnDeployed",
            platform=platform,
            kind=PRELOAD,
            machine=self.machine.state_machine,
            naming=naming,
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={"stack-id": [Stack.of(self).stack_id], "status-details": {"status": DEPLOYED}},
            ),
        )
        tell_of_failures(
            self,
            self.machine.state_machine,
            topic=topic,
            description="The shared Lustre was not loaded after its deployment: jobs wait for S3 where they read first",
        )
