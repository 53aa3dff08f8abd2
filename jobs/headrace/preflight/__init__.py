"""Is the live account ready for a job: the facts are looked up together, then held against the rules.

One call for each kind of thing (subnets, route tables, security groups …), however many channels a job has; only
buckets and prefixes are asked one by one, side by side, since S3 has no other way.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from headrace.aws import Aws
from headrace.planning import LaunchPlan, data_spec, launch_spec
from headrace.preflight.data import look_at_locations
from headrace.preflight.network import look_at_network
from headrace.rules import Finding, run_rules
from headrace.rules.launch import LAUNCH_RULES
from headrace.rules.live_network import NETWORK_RULES
from headrace.rules.locations import DATA_RULES

THREADS = 16


def check(launch: LaunchPlan, aws: Aws) -> list[Finding]:
    """Everything that the rules say of this launch, the live account included. Raises AwsError."""
    image = launch.request["AlgorithmSpecification"]["TrainingImage"]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="preflight") as pool:
        network = pool.submit(look_at_network, launch, aws) if launch.attempts[0].subnets else None
        is_name_in_use = pool.submit(aws.training_jobs.exists, launch.job.name)
        role_exists = pool.submit(aws.account.role_exists, launch.request["RoleArn"])
        image_exists = pool.submit(aws.account.image_exists, image)
        locations = look_at_locations(launch, aws, pool)
        spec = launch_spec(
            launch,
            is_name_in_use=is_name_in_use.result(),
            role_exists=role_exists.result(),
            image_exists=image_exists.result(),
        )
        found = [*run_rules(LAUNCH_RULES, spec), *run_rules(DATA_RULES, data_spec(launch, locations))]
        if network is not None:
            found += run_rules(NETWORK_RULES, network.result())
    # what the plan has said already is said once
    return [*launch.findings, *(each for each in found if each not in launch.findings)]


__all__ = ["check"]
