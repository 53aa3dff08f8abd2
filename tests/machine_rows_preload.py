"""Rows of the preload: what is not loaded yet, what was imported."""

from __future__ import annotations

from tests.machine_rows import (
    AT_START,
    execution,
    preload,
)
from tests.machine_samples import (
    file_system,
)

IMPORTED = {"Type": "IMPORT_METADATA_FROM_REPOSITORY", "Status": {"SucceededCount": 7}}
PRELOAD = [
    preload(
        "DescribeFileSystem",
        "Assign.missing",
        ["a"],
        result={"FileSystems": [file_system(Tags=None)]},
        input={"Links": ["a"]},
    ),
    preload(
        "DescribeFileSystem",
        "Assign.missing",
        [],
        result={"FileSystems": [file_system(Tags=[{"Key": "headrace:preloaded:a"}])]},
        input={"Links": ["a"]},
    ),
    preload(
        "DescribeFileSystem",
        "Assign.missing",
        ["b"],
        result={"FileSystems": [file_system(Tags=[{"Key": "headrace:preloaded:a"}])]},
        input={"Links": ["a", "b"]},
    ),
    preload(
        "CountImported",
        "Assign.imported",
        0,
        result={"DataRepositoryTasks": [{"Type": "EXPORT_TO_REPOSITORY"}]},
        imported=0,
    ),
    preload("CountImported", "Assign.imported", 8, result={"DataRepositoryTasks": [IMPORTED]}, imported=1),
    preload("CountImported", "Assign.imported", 15, result={"DataRepositoryTasks": [IMPORTED, IMPORTED]}, imported=1),
    preload("ListRunningImports", "Output.Running", 0, result={"DataRepositoryTasks": []}),
    preload(
        "RememberLinks",
        "Arguments.Tags",
        [{"Key": "headrace:preloaded:a", "Value": AT_START}],
        missing=["a"],
        context=execution(),
    ),
]

ROWS = PRELOAD
