"""The shared EFS of a self-contained foundation: its modes are Parameters."""

from __future__ import annotations

from aws_cdk import Aws, Fn, Stack, Token
from headrace_cdk.efs import SharedEfs
from headrace_cdk.network import Network

from stacks.portable.foundation_parameters import NO_TRANSITION
from stacks.portable.parameters import condition, parameter_is, resource_of


def shared_efs(stack: Stack, network: Network) -> SharedEfs:
    """A Regional file system with a mount target in each zone of the network."""
    provisioned = condition(stack, "ThroughputIsProvisioned", parameter_is("EfsThroughputMode", "provisioned"))
    mibps = Fn.condition_if(provisioned.logical_id, Fn.ref("EfsProvisionedMibps"), Aws.NO_VALUE)
    efs = SharedEfs(
        stack,
        "SharedEfs",
        network=network,
        performance_mode=Fn.ref("EfsPerformanceMode"),
        throughput_mode=Fn.ref("EfsThroughputMode"),
        provisioned_throughput_mibps=Token.as_number(mibps),
    )
    moves = condition(stack, "FilesMove", Fn.condition_not(parameter_is("EfsTransitionToIa", NO_TRANSITION)))
    policies = [{"TransitionToIA": Fn.ref("EfsTransitionToIa")}]
    file_system = resource_of(efs, "FileSystem")
    file_system.add_property_override("LifecyclePolicies", Fn.condition_if(moves.logical_id, policies, Aws.NO_VALUE))
    file_system.add_property_override("BackupPolicy.Status", Fn.ref("EfsBackup"))
    return efs
