"""Figures as AWS tells them: products of the Price List, and EC2's descriptions of instance types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.aws.connection import Connection, calls_aws

# the Price List answers in three Regions for all of them
PRICE_LIST_REGION = "us-east-1"
# DescribeInstanceTypes, Filters: at most 200 values
_MOST_FILTER_VALUES = 200
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class PriceList:
    """Questions to the Price List and to EC2."""

    connection: Connection

    @calls_aws
    def products(
        self, service_code: str, filters: Sequence[Mapping[str, str]], told: Told | None = None
    ) -> list[dict[str, Any]]:
        """The products of a service that have these attributes, with their prices. ``told``: of how many so far."""
        pages = self.connection.client("pricing", PRICE_LIST_REGION).get_paginator("get_products")
        found: list[dict[str, Any]] = []
        for page in pages.paginate(ServiceCode=service_code, Filters=list(filters), FormatVersion="aws_v1"):
            found.extend(map(json.loads, page["PriceList"]))
            if told:
                told(len(found))
        return found

    @calls_aws
    def instance_types(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """EC2's descriptions of those of these types, such as ``m5.large``, that the connection's Region has."""
        pages = self.connection.client("ec2").get_paginator("describe_instance_types")
        found = []
        for start in range(0, len(names), _MOST_FILTER_VALUES):
            values = list(names[start : start + _MOST_FILTER_VALUES])
            for page in pages.paginate(Filters=[{"Name": "instance-type", "Values": values}]):
                found.extend(page["InstanceTypes"])
        return found
