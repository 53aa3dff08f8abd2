"""The only room that calls AWS: a thin, typed facade over boto3, one module per kind of thing.

Each method is one question or one deed; what it means is decided elsewhere.
"""

from __future__ import annotations

from headrace.aws.account import Account
from headrace.aws.connection import AwsError, Connection
from headrace.aws.data_repository_tasks import DataRepositoryTasks
from headrace.aws.executions import Executions
from headrace.aws.file_systems import FileSystems
from headrace.aws.job_logs import JobLogs
from headrace.aws.network import Network
from headrace.aws.price_list import PriceList
from headrace.aws.s3 import S3
from headrace.aws.training_jobs import TrainingJobs

__all__ = ["Aws", "AwsError", "Connection"]


class Aws:
    """An account in one Region, by what is asked of it."""

    def __init__(self, region: str | None = None) -> None:
        """``region``: default is AWS_REGION, AWS_DEFAULT_REGION or the profile's. Raises InvalidInput without any."""
        self.connection = Connection(region)
        self.account = Account(self.connection)
        self.data_repository_tasks = DataRepositoryTasks(self.connection)
        self.executions = Executions(self.connection)
        self.file_systems = FileSystems(self.connection)
        self.job_logs = JobLogs(self.connection)
        self.network = Network(self.connection)
        self.price_list = PriceList(self.connection)
        self.s3 = S3(self.connection)
        self.training_jobs = TrainingJobs(self.connection)

    @property
    def region(self) -> str:
        """The Region in which calls are made, such as ``us-east-1``."""
        return self.connection.region
