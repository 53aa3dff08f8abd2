"""What lies in S3 where the channels read: the bucket's Region, and the first page of objects."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from headrace.aws import Aws
from headrace.planning import LaunchPlan, location_specs
from headrace.preflight.looking import Looking
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.locations import LocationSpec, ObjectSpec

_PAGE_KEYS = 1000
_Objects = tuple[tuple[ObjectSpec, ...], bool]


def look_at_locations(launch: LaunchPlan, aws: Aws, pool: Executor, looking: Looking) -> list[LocationSpec]:
    """The locations of the job's channels with their facts: one call a bucket, then one a prefix, side by side."""
    locations = location_specs(launch)
    buckets = list(dict.fromkeys(each.bucket for each in locations))
    regions = dict(zip(buckets, pool.map(partial(_region, aws, looking), buckets), strict=True))
    asked = list(dict.fromkeys(_Page.of(each) for each in locations if isinstance(regions[each.bucket], str)))
    pages = dict(zip(asked, pool.map(lambda page: page.read(aws, regions[page.bucket], looking), asked), strict=True))
    return [_with_facts(each, regions[each.bucket], pages) for each in locations]


def _region(aws: Aws, looking: Looking, bucket: str) -> str | Unknown | None:
    return looking.up(f"s3://{bucket}", lambda: aws.s3.bucket_region(bucket))


class _Page(NamedTuple):
    """The first objects of a prefix, which several channels may read."""

    bucket: str
    prefix: str
    most_keys: int

    @classmethod
    def of(cls, location: LocationSpec) -> _Page:
        return cls(location.bucket, location.prefix, 1 if location.is_one_object else _PAGE_KEYS)

    def read(self, aws: Aws, region: str | Unknown | None, looking: Looking) -> _Objects | Unknown:
        return looking.up(
            f"s3://{self.bucket}/{self.prefix}",
            lambda: aws.s3.first_objects(self.bucket, self.prefix, str(region), self.most_keys),
        )


def _with_facts(
    location: LocationSpec, region: str | Unknown | None, pages: Mapping[_Page, _Objects | Unknown]
) -> LocationSpec:
    page = pages.get(_Page.of(location), UNKNOWN)
    if isinstance(page, Unknown):
        return replace(location, bucket_region=region)
    return replace(location, bucket_region=region, objects=page[0], are_all=page[1])
