"""The service's requests, in the place of moto's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.fsx.models import FSxBackend
from moto.fsx.responses import FSxResponse

from headrace_local.moto_extension.fsx import associations, file_systems, tasks
from headrace_local.moto_extension.fsx.associations import Association
from headrace_local.moto_extension.fsx.errors import (
    BadRequest,
    DataRepositoryAssociationNotFound,
    DataRepositoryTaskNotFound,
    FileSystemNotFound,
    IncompatibleParameterError,
)
from headrace_local.moto_extension.fsx.file_systems import FileSystem
from headrace_local.moto_extension.fsx.tasks import Task
from headrace_local.runner.lustre import files_of

DEFAULT_PAGE = 100
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


def _create_file_system(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    made = store.made_before(request)
    if not isinstance(made, FileSystem):
        made = file_systems.make(request, account=backend.account_id, region=backend.region_name)
        _remember(backend, request, made)
        store.file_systems[made.file_system_id] = made
    return _answer(FileSystem=made.describe(_tags(backend, made.arn)))


def _describe_file_systems(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    wanted = request.get("FileSystemIds") or [
        each.file_system_id for each in store.file_systems.values() if not each.life.is_gone
    ]
    found = [store.file_system(each) for each in wanted]
    return _page(request, "FileSystems", [each.describe(_tags(backend, each.arn)) for each in found])


def _delete_file_system(response: FSxResponse) -> str:
    request, store = json.loads(response.body), store_of(response.fsx_backend)
    wanted = str(request["FileSystemId"])
    file_system = store.file_system(wanted)
    if file_system.life.lifecycle == "CREATING":
        raise BadRequest(f"Cannot delete file system {file_system.file_system_id} while it is CREATING.")
    if any(each.lifecycle == "EXECUTING" for each in store.tasks.values() if each.file_system_id == wanted):
        raise BadRequest(f"Cannot delete file system {wanted} while a data repository task is EXECUTING.")
    file_system.end()
    for each in store.living_associations(file_system.file_system_id):
        each.life.end()
    files_of(file_system.file_system_id).discard()
    return _answer(FileSystemId=file_system.file_system_id, Lifecycle="DELETING", LustreResponse={})


def _create_association(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    made = store.made_before(request)
    if not isinstance(made, Association):
        file_system = store.file_system(request["FileSystemId"])
        made = associations.make(request, file_system, store.living_associations())
        _remember(backend, request, made)
        is_imported = bool(request.get("BatchImportMetaDataOnCreate"))
        files_of(file_system.file_system_id).link(made.link, is_imported=is_imported)
        store.associations[made.association_id] = made
    return _answer(Association=made.describe(_tags(backend, made.arn)))


def _describe_associations(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    ids = request.get("AssociationIds")
    found = [store.association(each) for each in ids] if ids else store.living_associations()
    filters = {each["Name"]: each["Values"] for each in request.get("Filters", [])}
    owners = filters.get("file-system-id")
    described = [
        each.describe(_tags(backend, each.arn)) for each in found if owners is None or each.file_system_id in owners
    ]
    return _page(request, "Associations", described)


def _delete_association(response: FSxResponse) -> str:
    request = json.loads(response.body)
    association = store_of(response.fsx_backend).association(request["AssociationId"])
    association.life.end()
    with_files = bool(request.get("DeleteDataInFileSystem"))
    files_of(association.file_system_id).unlink(association.association_id, with_files=with_files)
    return _answer(AssociationId=association.association_id, Lifecycle="DELETING", DeleteDataInFileSystem=with_files)


def _create_task(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    made = store.made_before(request)
    if not isinstance(made, Task):
        store.file_system(request["FileSystemId"])
        made = tasks.make(request, account=backend.account_id, region=backend.region_name)
        _remember(backend, request, made)
        store.tasks[made.task_id] = made
    return _answer(DataRepositoryTask=made.describe(_tags(backend, made.arn)))


def _describe_tasks(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store = store_of(backend)
    ids = request.get("TaskIds")
    found = [store.task(each) for each in ids] if ids else list(store.tasks.values())
    filters = {each["Name"]: each["Values"] for each in request.get("Filters", [])}
    shown = [
        each
        for each in found
        if each.file_system_id in filters.get("file-system-id", [each.file_system_id])
        and each.lifecycle in filters.get("task-lifecycle", [each.lifecycle])
    ]
    return _page(request, "DataRepositoryTasks", [each.describe(_tags(backend, each.arn)) for each in shown])


def _remember(backend: FSxBackend, request: Mapping[str, Any], made: Made) -> None:
    if request.get("ClientRequestToken"):
        store_of(backend).by_token[request["ClientRequestToken"]] = (request, made)
    if request.get("Tags"):
        backend.tagger.tag_resource(made.arn, request["Tags"])


def _tags(backend: FSxBackend, arn: str) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = backend.list_tags_for_resource(arn)
    return tags


def _answer(**members: Any) -> str:
    return json.dumps(members)


def _page(request: Mapping[str, Any], member: str, found: list[dict[str, Any]]) -> str:
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or DEFAULT_PAGE)
    rest = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return _answer(**{member: found[start : start + size]}, **rest)


def install() -> None:
    """moto dispatches a request to the method of its response class with the operation's name."""
    FSxResponse.create_file_system = _create_file_system
    FSxResponse.describe_file_systems = _describe_file_systems
    FSxResponse.delete_file_system = _delete_file_system
    FSxResponse.create_data_repository_association = _create_association
    FSxResponse.describe_data_repository_associations = _describe_associations
    FSxResponse.delete_data_repository_association = _delete_association
    FSxResponse.create_data_repository_task = _create_task
    FSxResponse.describe_data_repository_tasks = _describe_tasks
