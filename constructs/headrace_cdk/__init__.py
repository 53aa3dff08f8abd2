"""Constructs that bring training data to SageMaker: one role, one module.

Network, DatasetBucket, SharedEfs, TrainingRoles, UserPolicy and Lustre are what a stack is made of; PlatformPart
leaves the record by which jobs find them. Each checks what it was asked for when it is made, with the rules of
:mod:`headrace.rules`.
"""

from headrace_cdk.dataset_bucket import DatasetBucket
from headrace_cdk.efs import SharedEfs
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.ingestion import IngestionStatement
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.lustre import Lustre
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.platform_part import PlatformPart
from headrace_cdk.roles import TrainingRoles
from headrace_cdk.user_policy import UserPolicy

__all__ = [
    "DatasetBucket",
    "ExistingNetwork",
    "IamNaming",
    "IngestionStatement",
    "JobSubnet",
    "Lustre",
    "Network",
    "PlatformPart",
    "S3Link",
    "SharedEfs",
    "TrainingRoles",
    "UserPolicy",
]
