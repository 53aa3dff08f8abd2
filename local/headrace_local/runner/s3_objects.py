"""Which objects a channel means, in which order, and which of them an instance gets.

A prefix means every object whose key begins with it, in the order of keys; a manifest lists them, in its own order.
``ShardedByS3Key`` deals them out in turn: the object (or the line of an augmented manifest) at place i goes to
instance i modulo n, after the epoch's shuffle where one is asked for, so that shards change from epoch to epoch.

Sources: Amazon SageMaker API Reference, S3DataSource and ShuffleConfig. Neither says how shards are dealt out, nor in
which order a seed puts them: here both are the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, TypeVar

from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.s3_storage import S3Storage

Item = TypeVar("Item")


class S3Object(NamedTuple):
    """An object of a listing; ``size`` in bytes."""

    key: str
    size: int

    @property
    def is_folder_marker(self) -> bool:
        """An empty object whose key ends in a slash only makes a folder show in the console."""
        return self.size == 0 and self.key.endswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects that a channel means. Their keys begin with ``prefix``; paths in the channel are below it."""

    bucket: str
    prefix: str
    objects: tuple[S3Object, ...]


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def list_objects(job: TrainingJob, source: Mapping[str, Any]) -> Listing:
    """The objects of an S3DataSource of type S3Prefix or ManifestFile.

    Raises JobFailed when there are none, or when the manifest is none.
    """
    storage, uri = S3Storage(job.region), str(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        return _listed(uri, storage)
    bucket, prefix = split_uri(uri)
    found = [S3Object(each.key, each.size) for each in storage.listing(bucket, prefix) or ()]
    if not found:
        role = job.request["RoleArn"]
        raise JobFailed(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({job.region}), that objects exist under "
            f'that S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    return Listing(bucket=bucket, prefix=prefix, objects=tuple(each for each in found if not each.is_folder_marker))


def _listed(uri: str, storage: S3Storage) -> Listing:
    first, *rest = _elements(uri, read_text(uri, storage))
    bucket, prefix = split_uri(first)
    objects = []
    for place, name in enumerate(rest, 1):
        found = storage.describe(bucket, prefix + name)
        if found is None:
            raise JobFailed(
                f"ClientError: Data download failed:element {place} of manifest {uri} names s3://{bucket}/{prefix}"
                f"{name}, which does not exist"
            )
        objects.append(S3Object(prefix + name, found.size))
    return Listing(bucket=bucket, prefix=prefix, objects=tuple(objects))


def read_text(uri: str, storage: S3Storage) -> str:
    """The text of a manifest. Raises JobFailed when it does not exist or is no UTF-8."""
    content = storage.read(*split_uri(uri))
    if content is None:
        raise JobFailed(f"ClientError: Data download failed:manifest {uri} does not exist")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise JobFailed(f"ClientError: Data download failed:manifest {uri} is no UTF-8: {error.reason}") from None


def _elements(uri: str, text: str) -> list[str]:
    """The prefix, then the names below it."""
    try:
        first, *names = json.loads(text)
        prefix = first["prefix"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_manifest(uri, 'it must be a JSON array whose first element is {"prefix": "s3://…"}') from None
    if not (isinstance(prefix, str) and prefix.startswith("s3://") and split_uri(prefix)[0]):
        raise _no_manifest(uri, f"prefix {prefix!r} must be an S3 URI")
    for place, name in enumerate(names, 1):
        if not isinstance(name, str):
            raise _no_manifest(uri, f"element {place} is {name!r}; every element after the first must be a string")
    if not names:
        raise _no_manifest(uri, "it lists no objects")
    return [prefix, *names]


def _no_manifest(uri: str, why: str) -> JobFailed:
    return JobFailed(f"ClientError: Data download failed:manifest {uri}: {why}")


def share(items: Sequence[Item], source: Mapping[str, Any], instance: Instance) -> tuple[Item, ...]:
    """What one instance gets of the items; fewer items than instances leave the last ones without any."""
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        return tuple(items[instance.number :: len(instance.hosts)])
    return tuple(items)


def shuffled(items: Sequence[Item], channel: Mapping[str, Any], epoch: int) -> tuple[Item, ...]:
    """The items in the order of an epoch: their own, or with a ShuffleConfig another for each seed and epoch."""
    if "ShuffleConfig" not in channel:
        return tuple(items)
    random = Random(f"{channel['ShuffleConfig']['Seed']}:{epoch}")  # noqa: S311 an order, no secret
    return tuple(random.sample(items, len(items)))
