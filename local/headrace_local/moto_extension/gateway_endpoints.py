"""Gateway endpoints whose routes are what they say, to the prefix list that security groups name.

moto adds a gateway endpoint's route when the endpoint is made, and forgets it when route tables are added or removed
later; it keeps showing endpoints that are deleted; and its prefix list of S3 has another id in each process, so that
no rule of a security group can name it before the platform is deployed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moto.ec2.models import EC2Backend

_create_default_prefix_lists = EC2Backend.create_default_pls
_modify_vpc_endpoint = EC2Backend.modify_vpc_endpoint
_delete_vpc_endpoints = EC2Backend.delete_vpc_endpoints


@cache
def _published_ids() -> Mapping[str, str]:
    # The constructs' own table, found without importing them: that would load the whole of CDK into the server.
    package = find_spec("headrace_cdk")
    assert package is not None, "headrace_cdk comes in the same distribution"
    assert package.origin is not None, "headrace_cdk has an __init__"
    table = Path(package.origin).with_name("data") / "s3_prefix_lists.json"
    ids: Mapping[str, str] = json.loads(table.read_text(encoding="utf-8"))["prefix_list_ids"]
    return ids


def create_default_prefix_lists(backend: EC2Backend) -> None:
    """AWS's own prefix lists; the one of S3 has the id by which the Region's templates know it."""
    _create_default_prefix_lists(backend)
    published = _published_ids().get(backend.region_name)
    if published is None:
        return
    lists = backend.managed_prefix_lists
    s3_list = next(
        each for each in lists.values() if each.prefix_list_name == f"com.amazonaws.{backend.region_name}.s3"
    )
    del lists[s3_list.id]
    s3_list.id = published
    s3_list.prefix_list_arn = s3_list.arn(backend.region_name, s3_list.owner_id)
    lists[published] = s3_list


def modify_vpc_endpoint(
    backend: EC2Backend,
    *,
    vpc_id: str,
    add_route_tables: Sequence[str] | None = None,
    remove_route_tables: Sequence[str] | None = None,
    **members: Any,
) -> None:
    """ModifyVpcEndpoint as moto does it, with the routes. moto calls the endpoint's id ``vpc_id``."""
    endpoint = backend.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]
    before = set(endpoint.route_table_ids or [])
    _modify_vpc_endpoint(
        backend,
        vpc_id=vpc_id,
        add_route_tables=add_route_tables,
        remove_route_tables=remove_route_tables,
        **members,
    )
    if endpoint.destination_prefix_list_id is None:
        return
    after = set(endpoint.route_table_ids)
    for table in before - after:
        backend.delete_route(table, endpoint.destination_prefix_list_id)
    for table in after - before:
        backend.create_route(
            table, None, gateway_id=endpoint.id, destination_prefix_list_id=endpoint.destination_prefix_list_id
        )


def delete_vpc_endpoints(backend: EC2Backend, vpce_ids: Sequence[str] | None = None) -> None:
    """DeleteVpcEndpoints as moto does it; what is deleted is no longer described."""
    _delete_vpc_endpoints(backend, vpce_ids)
    for endpoint_id in vpce_ids or []:
        backend.vpc_end_points.pop(endpoint_id, None)


def install() -> None:
    """Put all this in the place of moto's."""
    EC2Backend.create_default_pls = create_default_prefix_lists
    EC2Backend.modify_vpc_endpoint = modify_vpc_endpoint
    EC2Backend.delete_vpc_endpoints = delete_vpc_endpoints
