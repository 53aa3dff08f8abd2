"""The rates of :mod:`headrace.figures.rates` as spans, by name, looked up once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

from headrace.advisor.span import Span, span_of
from headrace.figures.rates import rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """Every rate that the advice uses; what each means stands in rates.json."""

    starting_seconds: Span
    warm_starting_seconds: Span
    job_overhead_seconds: Span
    image_pull_mb_per_second: Span
    script_start_seconds: Span
    compute_spread: Span
    upload_mb_per_second: Span
    s3_list_objects_per_second: Span
    s3_small_objects_per_second: Span
    fast_file_file_seconds: Span
    file_mode_mb_per_second: Span
    fast_file_mb_per_second: Span
    fast_file_stream_mb_per_second: Span
    pipe_mb_per_second: Span
    ebs_volume_mb_per_second: Span
    ebs_volume_reads_per_second: Span
    nvme_mb_per_second: Span
    nvme_reads_per_second: Span
    nvme_drive_gb: Span
    ebs_burst_seconds: Span
    measured_vcpus: Span
    mount_seconds: Span
    walk_files_per_second: Span
    lustre_create_seconds: Span
    lustre_delete_seconds: Span
    lustre_import_objects_per_second: Span
    lustre_read_mb_per_second_per_tib: Span
    lustre_content_mb_per_second_per_tib: Span
    lustre_file_seconds: Span
    lustre_stream_mb_per_second: Span
    lustre_cold_file_seconds: Span
    lustre_cold_stream_mb_per_second: Span
    efs_file_seconds: Span
    efs_bursting_read_mb_per_second: Span
    efs_bursting_baseline_mb_per_second_per_tib: Span
    efs_bursting_credit_gb: Span
    efs_client_mb_per_second: Span
    efs_elastic_client_mb_per_second: Span
    efs_reads_count_as: Span
    efs_included_mb_per_second_per_tib: Span
    efs_bursting_most_mb_per_second: Span
    efs_provisioned_most_mb_per_second: Span
    efs_elastic_most_mb_per_second: Span
    efs_provisioned_least_hours: Span
    efs_load_files_per_second: Span
    efs_load_mb_per_second: Span
    pack_files_per_second: Span
    pack_mb_per_second: Span
    image_gb: Span
    page_cache_share: Span
    small_file_mb: Span
    shard_mb: Span


@cache
def speeds() -> Speeds:
    """The shipped rates. Each of them is used, and there is no other: a test compares the names."""
    known = rates()
    return Speeds(**{each.name: span_of(known[each.name]) for each in fields(Speeds)})
