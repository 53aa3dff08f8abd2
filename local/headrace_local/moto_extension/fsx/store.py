"""What one account has in one Region: file systems, links and tasks, and what was made by which client token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.fsx.models import FSxBackend

from headrace_local.moto_extension.fsx import tasks
from headrace_local.moto_extension.fsx.associations import Association
from headrace_local.moto_extension.fsx.errors import (
    DataRepositoryAssociationNotFound,
    DataRepositoryTaskNotFound,
    FileSystemNotFound,
    IncompatibleParameterError,
    ResourceNotFound,
)
from headrace_local.moto_extension.fsx.file_systems import FileSystem
from headrace_local.moto_extension.fsx.tasks import Task

Made = FileSystem | Association | Task


@dataclass(slots=True)
class Store:
    """What one account has in one Region."""

    file_systems: dict[str, FileSystem] = field(default_factory=dict)
    associations: dict[str, Association] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    by_token: dict[str, tuple[Mapping[str, Any], Made]] = field(default_factory=dict)

    def file_system(self, file_system_id: str) -> FileSystem:
        """Raises FileSystemNotFound when there is none, or no more."""
        found = self.file_systems.get(file_system_id)
        if found is None or found.life.is_gone:
            raise FileSystemNotFound(f"File system '{file_system_id}' does not exist.")
        return found

    def association(self, association_id: str) -> Association:
        """Raises DataRepositoryAssociationNotFound when there is none, or no more."""
        found = self.associations.get(association_id)
        if found is None or found.life.is_gone:
            raise DataRepositoryAssociationNotFound(f"Data repository association '{association_id}' does not exist.")
        return found

    def living_associations(self, file_system_id: str | None = None) -> list[Association]:
        """Those that are not gone, of one file system or of all."""
        return [
            each
            for each in self.associations.values()
            if not each.life.is_gone and file_system_id in (None, each.file_system_id)
        ]

    def task(self, task_id: str) -> Task:
        """Raises DataRepositoryTaskNotFound when there is none."""
        if task_id not in self.tasks:
            raise DataRepositoryTaskNotFound(f"Data repository task '{task_id}' does not exist.")
        return self.tasks[task_id]

    def busy_task(self, file_system_id: str) -> Task | None:
        """The task that works on a file system, if any."""
        own = (each for each in self.tasks.values() if each.file_system_id == file_system_id)
        return next((each for each in own if each.keeps_waiting and each.lifecycle in tasks.BUSY), None)

    def require_resource(self, arn: str) -> None:
        """Raises ResourceNotFound when nothing that lives has this ARN."""
        living: list[FileSystem | Association] = [*self.file_systems.values(), *self.associations.values()]
        arns = {each.arn for each in living if not each.life.is_gone} | {each.arn for each in self.tasks.values()}
        if arn not in arns:
            raise ResourceNotFound(f"Resource '{arn}' does not exist.")

    def made_before(self, request: Mapping[str, Any]) -> Made | None:
        """What an equal request with the same client token has made. Raises when the parameters differ."""
        earlier = self.by_token.get(request.get("ClientRequestToken", ""))
        if earlier is None:
            return None
        if earlier[0] != request:
            raise IncompatibleParameterError("A request with this client request token had other parameters.")
        return earlier[1]


def store_of(backend: FSxBackend) -> Store:
    """The store that lives as long as moto's backend does."""
    if not hasattr(backend, "headrace_store"):
        backend.headrace_store = Store()
    store: Store = backend.headrace_store
    return store
