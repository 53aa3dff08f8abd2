"""The metric ClientConnections of AWS/FSx: how many running jobs mount a file system now.

CloudWatch has it for the last whole minute. What was minutes ago is not kept: a job that has ended is no client.
Source: FSx for Lustre User Guide, "FSx for Lustre metrics and dimensions".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from moto.cloudwatch.models import CloudWatchBackend, MetricDatum, MetricDatumBase
from moto.fsx.models import fsx_backends
from moto.sagemaker.models import sagemaker_backends

from headrace_local.moto_extension.fsx.store import store_of

_MOUNTED: Final = ("Downloading", "Training", "Stopping", "Uploading")
_get_all_metrics = CloudWatchBackend.get_all_metrics


def get_all_metrics(backend: CloudWatchBackend) -> list[MetricDatumBase]:
    """What has been put, and the connections of every file system that is AVAILABLE."""
    metrics: list[MetricDatumBase] = _get_all_metrics(backend)
    return [*metrics, *_connections(backend.account_id, backend.region_name)]


def _connections(account: str, region: str) -> Iterator[MetricDatum]:
    jobs = [each.job for each in list(sagemaker_backends[account][region].training_jobs.values())]
    clients = Counter(
        channel["DataSource"].get("FileSystemDataSource", {}).get("FileSystemId")
        for job in jobs
        for channel in job.request.get("InputDataConfig", ())
        if job.secondary_status in _MOUNTED
    )
    last_minute = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None) - timedelta(minutes=1)
    for each in list(store_of(fsx_backends[account][region]).file_systems.values()):
        if each.life.lifecycle == "AVAILABLE":
            yield MetricDatum(
                namespace="AWS/FSx",
                name="ClientConnections",
                value=float(clients[each.file_system_id]),
                dimensions=[{"Name": "FileSystemId", "Value": each.file_system_id}],
                timestamp=last_minute,
                unit="Count",
            )


def install() -> None:
    """Put this in the place of moto's."""
    CloudWatchBackend.get_all_metrics = get_all_metrics
