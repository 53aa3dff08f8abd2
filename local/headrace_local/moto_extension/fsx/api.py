"""The service's requests, in the place of moto's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.fsx.models import FSxBackend
from moto.fsx.responses import FSxResponse

from headrace_local.moto_extension.fsx import associations, file_systems, tasks
from headrace_local.moto_extension.fsx.associations import Association
from headrace_local.moto_extension.fsx.errors import (
    BadRequest,
    DataRepositoryTaskExecuting,
)
from headrace_local.moto_extension.fsx.file_systems import FileSystem
from headrace_local.moto_extension.fsx.store import Made, store_of
from headrace_local.moto_extension.fsx.tasks import Task
from headrace_local.runner.lustre import files_of

DEFAULT_PAGE = 100


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
    store, ids = store_of(backend), request.get("FileSystemIds")
    living = [each for each in list(store.file_systems.values()) if not each.life.is_gone]
    found = [store.file_system(each) for each in ids] if ids else living
    return _page(request, "FileSystems", [each.describe(_tags(backend, each.arn)) for each in found])


def _delete_file_system(response: FSxResponse) -> str:
    request, store = json.loads(response.body), store_of(response.fsx_backend)
    wanted = str(request["FileSystemId"])
    file_system = store.file_system(wanted)
    if file_system.life.lifecycle == "CREATING":
        raise BadRequest(f"Cannot delete file system {file_system.file_system_id} while it is CREATING.")
    busy = store.busy_task(wanted)
    if busy is not None:
        raise BadRequest(f"Cannot delete file system {wanted} while a data repository task is {busy.lifecycle}.")
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
        if is_imported:
            place = {"account": backend.account_id, "region": backend.region_name}
            task = tasks.batch_import(request, **place, linked_at=made.life.made_at)
            store.tasks[task.task_id] = task
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
        if store.busy_task(request["FileSystemId"]) is not None:
            raise DataRepositoryTaskExecuting(
                "An existing data repository task is currently executing on the file system. Wait until the existing "
                "task has completed, then create the new task."
            )
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
        and ("task-lifecycle" not in filters or each.lifecycle in filters["task-lifecycle"])
    ]
    return _page(request, "DataRepositoryTasks", [each.describe(_tags(backend, each.arn)) for each in shown])


def _cancel_task(response: FSxResponse) -> str:
    task = store_of(response.fsx_backend).task(json.loads(response.body)["TaskId"])
    task.cancel()
    return _answer(TaskId=task.task_id, Lifecycle=task.lifecycle)


def _tag_resource(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store_of(backend).require_resource(request["ResourceARN"])
    backend.tagger.tag_resource(request["ResourceARN"], request["Tags"])
    return _answer()


def _untag_resource(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store_of(backend).require_resource(request["ResourceARN"])
    backend.tagger.untag_resource_using_names(request["ResourceARN"], request["TagKeys"])
    return _answer()


def _list_tags(response: FSxResponse) -> str:
    request, backend = json.loads(response.body), response.fsx_backend
    store_of(backend).require_resource(request["ResourceARN"])
    return _page(request, "Tags", _tags(backend, request["ResourceARN"]))


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


def _page(request: Mapping[str, Any], member: str, found: Sequence[Mapping[str, Any]]) -> str:
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
    FSxResponse.cancel_data_repository_task = _cancel_task
    FSxResponse.tag_resource = _tag_resource
    FSxResponse.untag_resource = _untag_resource
    FSxResponse.list_tags_for_resource = _list_tags
