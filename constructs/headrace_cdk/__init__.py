"""Constructs that bring training data to SageMaker: one role, one module.

Network, DatasetBucket, SharedEfs, TrainingRoles, UserPolicy and Lustre are what a stack is made of; EphemeralLustre,
Teardown and Reaper are the machines that make a Lustre for one job and take it down; PlatformPart leaves the record by
which jobs find them. Each checks what it was asked for when it is made, with the rules of
:mod:`headrace.rules`.
"""

from headrace_cdk.alarm_topic import AlarmTopic
from headrace_cdk.dataset_bucket import DatasetBucket
from headrace_cdk.efs import SharedEfs
from headrace_cdk.ephemeral_lustre import EphemeralLustre
from headrace_cdk.ephemeral_user_policy import EphemeralUserPolicy
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.idle_alarm import IdleAlarm
from headrace_cdk.ingestion import IngestionStatement
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.lustre_user_policy import LustreUserPolicy
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.reaper import Reaper
from headrace_cdk.roles import TrainingRoles
from headrace_cdk.teardown import Teardown
from headrace_cdk.user_policy import UserPolicy

__all__ = [
    "AlarmTopic",
    "DatasetBucket",
    "EphemeralLustre",
    "EphemeralUserPolicy",
    "ExistingNetwork",
    "IamNaming",
    "IdleAlarm",
    "IngestionStatement",
    "JobSubnet",
    "Lustre",
    "LustreUserPolicy",
    "Network",
    "PlatformPart",
    "Reaper",
    "S3Link",
    "SharedEfs",
    "Teardown",
    "TrainingRoles",
    "UserPolicy",
]
