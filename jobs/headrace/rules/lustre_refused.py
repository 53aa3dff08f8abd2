"""Options of Amazon FSx for Lustre that headrace refuses, each with the reason.

A setting that is silently ignored is worse than one that is refused: somebody wrote it because they count on it.
One rule stands for each group: V5 storage other than SSD, V7 and V30 backups, V12 the legacy link (V12 to V15).

Source: Amazon FSx API Reference, CreateFileSystemLustreConfiguration and CreateBackup (botocore 1.44.5 service
model, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.values import Switch, Text, WholeNumber, finding, is_one_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedOptions:
    """What FSx would take and headrace does not; None: not given. ``storage_type`` may be SSD."""

    storage_type: Text = None
    import_path: Text = None
    export_path: Text = None
    imported_file_chunk_size_mib: WholeNumber = None
    auto_import_policy: Text = None
    drive_cache_type: Text = None
    automatic_backup_retention_days: WholeNumber = None
    daily_automatic_backup_start_time: Text = None
    copy_tags_to_backups: Switch = None
    backup_id: Text = None


@rule("V5", "storage_type", "drive_cache_type")
def storage_is_ssd(spec: RefusedOptions) -> Iterator[Finding]:
    """Storage is SSD; HDD with its drive cache and Intelligent-Tiering are not offered."""
    if spec.storage_type is not None and spec.storage_type != "SSD":
        allowed = "SSD, since HDD needs PERSISTENT_1 and tiers make the first read of cold data slow"
        yield finding("V5", "storage_type", spec.storage_type, allowed, "SSD")
    if spec.drive_cache_type is not None:
        allowed = "nothing, since only HDD has a drive cache"
        yield finding("V5", "drive_cache_type", spec.drive_cache_type, allowed, "leave it out")


@rule("V12", "import_path", "export_path", "imported_file_chunk_size_mib", "auto_import_policy")
def no_legacy_link(spec: RefusedOptions) -> Iterator[Finding]:
    """ImportPath and its options are not offered: links are data repository associations."""
    given = {
        "import_path": spec.import_path,
        "export_path": spec.export_path,
        "imported_file_chunk_size_mib": spec.imported_file_chunk_size_mib,
        "auto_import_policy": spec.auto_import_policy,
    }
    for field, value in given.items():
        if value is not None:
            allowed = "nothing: it excludes data repository associations and holds the creation up while it indexes"
            yield finding("V12", field, value, allowed, "leave it out, and declare a link")


@rule("V7", "automatic_backup_retention_days", "daily_automatic_backup_start_time", "copy_tags_to_backups")
def no_backups(spec: RefusedOptions) -> Iterator[Finding]:
    """Backups are not offered; a retention of 0 days says the same."""
    allowed = "nothing: a file system that is linked to S3 takes no backups, and its data lies in S3"
    retention = spec.automatic_backup_retention_days
    if retention is not None and not is_one_of(retention, (0,)):
        yield finding("V7", "automatic_backup_retention_days", retention, allowed, "leave it out")
    if spec.daily_automatic_backup_start_time is not None:
        start = spec.daily_automatic_backup_start_time
        yield finding("V7", "daily_automatic_backup_start_time", start, allowed, "leave it out")
    if spec.copy_tags_to_backups is not None and spec.copy_tags_to_backups is not False:
        yield finding("V7", "copy_tags_to_backups", spec.copy_tags_to_backups, allowed, "leave it out")


@rule("V30", "backup_id")
def not_from_backup(spec: RefusedOptions) -> Iterator[Finding]:
    """A file system is not restored from a backup."""
    if spec.backup_id is not None:
        allowed = "nothing: backups are not offered, and the data lies in S3"
        yield finding("V30", "backup_id", spec.backup_id, allowed, "leave it out, and declare a link")


REFUSED_OPTIONS_RULES: tuple[Rule[Any], ...] = (storage_is_ssd, no_backups, no_legacy_link, not_from_backup)
"""Rules of :class:`RefusedOptions`."""
