"""Is the live account ready for a job: the facts are looked up together, then held against the rules.

One call for each kind of thing (subnets, route tables, security groups …), however many channels a job has; only
buckets, prefixes and manifests are asked one by one, side by side, since S3 has no other way. What these credentials
may not look up stays unknown, and is told.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from headrace.aws import Aws
from headrace.planning import LaunchPlan, data_spec, launch_spec
from headrace.preflight.data import look_at_locations
from headrace.preflight.looking import Looking
from headrace.preflight.manifests import look_at_manifests
from headrace.preflight.network import look_at_network
from headrace.rules import Finding, run_rules
from headrace.rules.launch import LAUNCH_RULES
from headrace.rules.live_network import NETWORK_RULES
from headrace.rules.location_paths import PATH_RULES
from headrace.rules.locations import DATA_RULES
from headrace.rules.lookups import LOOKUP_RULES

THREADS = 16


def check(launch: LaunchPlan, aws: Aws) -> list[Finding]:
    """Everything that the rules say of this launch, the live account included. Raises AwsError."""
    image, looking = launch.request["AlgorithmSpecification"]["TrainingImage"], Looking()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="preflight") as pool:
        network = pool.submit(look_at_network, launch, aws, looking) if launch.attempts[0].subnets else None
        names = [attempt.name for attempt in launch.attempts]
        names_in_use = pool.submit(looking.up, "job_name", partial(aws.training_jobs.names_in_use, names))
        role_exists = pool.submit(looking.up, "role_arn", partial(aws.account.role_exists, launch.request["RoleArn"]))
        image_exists = pool.submit(looking.up, "image", partial(aws.account.image_exists, image))
        locations = look_at_locations(launch, aws, pool, looking)
        spec = launch_spec(
            launch,
            names_in_use=names_in_use.result(),
            role_exists=role_exists.result(),
            image_exists=image_exists.result(),
        )
        found = [*run_rules(LAUNCH_RULES, spec), *look_at_manifests(launch, locations, aws, pool, looking)]
        found += run_rules((*DATA_RULES, *PATH_RULES), data_spec(launch, locations))
        if network is not None and (facts := network.result()) is not None:
            found += run_rules(NETWORK_RULES, facts)
    found += run_rules(LOOKUP_RULES, looking.spec)
    # what the plan has said already is judged again with the facts, and said once
    judged = {(each.rule_id, each.field) for each in found}
    return [*(each for each in launch.findings if (each.rule_id, each.field) not in judged), *found]


__all__ = ["check"]
