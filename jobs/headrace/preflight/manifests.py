"""Is what a channel names as a manifest one at all: its beginning is read and held against the rules of manifests.

A manifest may have millions of lines, and whoever launches should not wait for them. What is wrong with a manifest as
a whole (another encoding, no array, no prefix, other attributes) shows in its first lines; the rest is for
``headrace manifest check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from io import BytesIO

from headrace.aws import Aws
from headrace.manifests import AugmentedManifest, PlainManifest
from headrace.manifests.check import ManifestForm
from headrace.manifests.notes import Notes
from headrace.planning import LaunchPlan
from headrace.preflight.looking import Looking
from headrace.roads import S3DataType
from headrace.rules import Finding, Level, run_rules
from headrace.rules.channels import MAX_ATTRIBUTE_NAMES
from headrace.rules.finding import UNKNOWN, Unknown
from headrace.rules.locations import LocationSpec
from headrace.rules.manifest import MANIFEST_RULES, ManifestSpec
from headrace.sources import S3PipeSource, S3Source

HEAD_BYTES = 1 << 16


def look_at_manifests(
    launch: LaunchPlan, locations: Sequence[LocationSpec], aws: Aws, pool: Executor, looking: Looking
) -> list[Finding]:
    """What is wrong with the beginning of each manifest: one call for each, side by side. Raises AwsError."""
    known = [each for each in locations if each.is_one_object and isinstance(each.bucket_region, str)]
    heads = pool.map(partial(_head, aws, looking), known)
    forms = {f"channels.{name}.s3": form for name, form in _forms(launch)}
    return [
        finding
        for location, head in zip(known, heads, strict=True)
        if head is not None and not isinstance(head, Unknown)
        for finding in judge_head(head, forms[location.field], f"{location.field}, {location.uri}")
    ]


def judge_head(head: bytes, form: ManifestForm, name: str) -> list[Finding]:
    """The errors in the beginning of a manifest that is called ``name``; shorter than HEAD_BYTES, it is all of it."""
    notes = Notes()
    batches = form.read(BytesIO(head), notes)
    if len(head) < HEAD_BYTES:
        for _ in batches:
            pass
    else:
        # the first entries only: where the head breaks off is no mistake of the manifest
        next(batches, None)
    spec = ManifestSpec(name=name, unit=form.unit, tallies=notes.tallies())
    return [each for each in run_rules(MANIFEST_RULES, spec) if each.level is Level.ERROR]


def _head(aws: Aws, looking: Looking, location: LocationSpec) -> bytes | Unknown | None:
    if location.objects is UNKNOWN:
        return UNKNOWN
    region = str(location.bucket_region)
    return looking.up(location.uri, lambda: aws.s3.first_bytes(location.bucket, location.prefix, region, HEAD_BYTES))


def _forms(launch: LaunchPlan) -> Iterator[tuple[str, ManifestForm]]:
    for channel in launch.job.channels:
        source = channel.source
        if isinstance(source, S3Source) and source.data_type is S3DataType.MANIFEST_FILE:
            yield channel.name, PlainManifest()
        elif isinstance(source, S3PipeSource) and source.data_type is S3DataType.AUGMENTED_MANIFEST_FILE:
            # more names than are allowed have a rule of their own
            names = tuple(dict.fromkeys(filter(None, source.attribute_names)))[:MAX_ATTRIBUTE_NAMES]
            yield channel.name, AugmentedManifest(names)
