"""Rows of the preload: who goes first, what is not loaded yet, what was imported, what the job brought."""

from __future__ import annotations

import re
from typing import Any

from tests.machine_definitions import GIVEN
from tests.machine_rows import AT_START, LATER, Row, execution, preload
from tests.machine_samples import OWNER, Record, file_system, job, metric

TYPE = "IMPORT_METADATA_FROM_REPOSITORY"
OTHER = OWNER.replace("digits", "cats")
NOW, HALF_AN_HOUR_AGO, TWO_HOURS_AGO = 1_795_688_100_000, 1_795_686_300_000, 1_795_680_900_000
"""AT_START in milliseconds, and times before it."""


def _executions(*found: tuple[str, str]) -> Record:
    return {"Executions": [{"ExecutionArn": arn, "StartDate": start} for arn, start in found]}


def _first(expected: bool, *found: tuple[str, str]) -> Row:
    return preload("ListExecutions", "Output.IsFirst", expected, result=_executions(*found), context=execution())


FIRST = [
    _first(True, (OWNER, AT_START)),
    _first(True, (OWNER, AT_START), (OTHER, LATER)),
    _first(False, (OTHER, AT_START), (OWNER, LATER)),
    _first(False, (OWNER, "2026-11-26T10:15:00.002Z"), (OTHER, "2026-11-26T10:15:00.001Z")),
    # at the same moment: exactly one of them
    _first(False, (OWNER, AT_START), (OTHER, AT_START)),
    _first(True, (OWNER, AT_START), (f"{OWNER}-2", AT_START)),
    # not listed yet
    _first(False),
    _first(False, (OTHER, LATER)),
]


def _missing(expected: list[str], tags: Any, *links: str) -> Row:
    result = {"FileSystems": [file_system(Tags=tags)]}
    return preload("DescribeFileSystem", "Assign.missing", expected, result=result, given={"Links": list(links)})


LOADED_A = [{"Key": "headrace:platform", "Value": "dev"}, {"Key": "headrace:preloaded:a", "Value": AT_START}]
MISSING = [
    _missing(["a"], None, "a"),
    _missing([], LOADED_A, "a"),
    _missing(["b"], LOADED_A, "a", "b"),
    _missing(["a", "ab"], [{"Key": "headrace:preloaded:b"}], "a", "b", "ab"),
    preload(
        "DescribeFileSystem",
        "Assign.jobName",
        re.compile(r"^dev-preload-[0-9a-f]{12}$"),
        given=GIVEN["preload"],
        context=execution(),
    ),
]


def _task(lifecycle: str = "SUCCEEDED", count: int | None = 7, **more: Any) -> Record:
    status = {} if count is None else {"SucceededCount": count}
    return {"Type": TYPE, "Lifecycle": lifecycle, "Status": status, **more}


def _counted(name: str, expected: int, before: int, *tasks: Record) -> Row:
    return preload(
        "CountImported", f"Assign.{name}", expected, result={"DataRepositoryTasks": list(tasks)}, **{name: before}
    )


EXPORT = {**_task(), "Type": "EXPORT_TO_REPOSITORY"}
IMPORTS = [
    preload("ListRunningImports", "Output.Running", 0, result={"DataRepositoryTasks": []}),
    preload("ListRunningImports", "Output.Running", 0, result={"DataRepositoryTasks": [EXPORT]}),
    preload("ListRunningImports", "Output.Running", 1, result={"DataRepositoryTasks": [EXPORT, _task("EXECUTING")]}),
    _counted("imports", 1, 0, _task()),
    _counted("imports", 3, 1, _task(), _task(), EXPORT, _task("FAILED")),
    _counted("imported", 0, 0),
    _counted("imported", 0, 0, EXPORT),
    _counted("imported", 8, 1, _task()),
    _counted("imported", 15, 1, _task(), _task(), _task("FAILED", 3)),
    _counted("imported", 1, 1, _task(count=None)),
    _counted("failedImports", 0, 0, _task(), EXPORT),
    _counted("failedImports", 3, 1, _task("FAILED"), _task("CANCELED")),
    _counted("lastImport", 5, 5, EXPORT, _task()),
    _counted("lastImport", NOW, 5, _task(EndTime=AT_START)),
    _counted("lastImport", NOW, NOW, _task(EndTime="2026-11-26T10:14:00Z"), _task(EndTime=AT_START)),
]


def _is_imported(rule: int, expected: bool, links: int, **sees: Any) -> Row:
    given = {"Links": [f"l{number}" for number in range(links)]}
    seen = {"imports": 0, "imported": 0, "failedImports": 0, "lastImport": 0, "looks": 0, **sees}
    return preload("IsImported", f"Choices[{rule}].Condition", expected, given=given, context=execution(), **seen)


FAILED, TO_COME, EMPTY = range(3)
JUDGED_IMPORTS = [
    _is_imported(FAILED, False, 1, imports=1),
    _is_imported(FAILED, True, 1, failedImports=1),
    _is_imported(FAILED, True, 2, imports=1, failedImports=1),
    # made good since
    _is_imported(FAILED, False, 1, imports=1, failedImports=1),
    # of a time that FSx has forgotten
    _is_imported(FAILED, False, 2, imports=1),
    _is_imported(TO_COME, True, 1),
    _is_imported(TO_COME, False, 1, looks=5),
    _is_imported(TO_COME, True, 2, imports=1, looks=4),
    _is_imported(TO_COME, False, 2, imports=2),
    _is_imported(EMPTY, True, 1, imports=1, lastImport=HALF_AN_HOUR_AGO),
    _is_imported(EMPTY, False, 1, imports=1, imported=3, lastImport=HALF_AN_HOUR_AGO),
    _is_imported(EMPTY, False, 1, imports=1, lastImport=TWO_HOURS_AGO),
    _is_imported(EMPTY, False, 1, looks=5),
]


def _expected(expected: int, missing: list[str], links: list[str], imports: int) -> Row:
    sees = {"missing": missing, "given": {"Links": links}, "imports": imports, "imported": 9}
    return preload("IsImported", "Assign.expected", expected, **sees)


EXPECTED = [
    _expected(9, ["a"], ["a"], 1),
    _expected(9, ["a", "b"], ["a", "b"], 2),
    _expected(9, ["a", "b"], ["a", "b"], 1),
    # a further import counts again; other links were counted, too
    _expected(0, ["a"], ["a"], 2),
    _expected(0, ["b"], ["a", "b"], 2),
]


def _created(*missing: str) -> Record:
    given = GIVEN["preload"]["Request"]
    return {
        **given,
        "TrainingJobName": "dev-preload-1",
        "InputDataConfig": [each for each in given["InputDataConfig"] if each["ChannelName"] in missing],
        "Environment": {
            **given["Environment"],
            "PRELOAD_DIRECTORIES": " ".join(f"/opt/ml/input/data/{each}" for each in missing),
        },
    }


def _job(*missing: str) -> Row:
    sees = {"given": GIVEN["preload"], "jobName": "dev-preload-1", "missing": list(missing)}
    return preload("CreateJob", "Arguments", _created(*missing), **sees)


JOBS = [
    _job("a", "b"),
    _job("b"),
    preload(
        "WaitForCapacity",
        "Assign.jobName",
        re.compile(r"^dev-preload-[0-9a-f]{12}-3$"),
        given=GIVEN["preload"],
        context=execution(),
        attempt=2,
    ),
]


def _loaded(expected: int, *metrics: Record) -> Row:
    found = job("Completed", **({"FinalMetricDataList": list(metrics)} if metrics else {}))
    return preload("DescribeJob", "Output.Loaded", expected, result=found)


def _judged(rule: int, expected: bool, **more: Any) -> Row:
    told = {"Status": "Completed", "Reason": "Completed", "Loaded": 9, "Unreadable": 0, **more}
    return Row("preload", "JudgeJob", f"Choices[{rule}].Condition", {"input": told, "expected": 9}, expected)


INCOMPLETE, NOTHING, LOADED, NO_CAPACITY, ENDED = range(5)
JUDGED = [
    _loaded(-1),
    _loaded(-1, metric("loaded_files", 7)),
    _loaded(7, metric("loaded_files_e0", 7), metric("failed_files", 1)),
    _loaded(16_777_217, metric("loaded_files_e6", 16), metric("loaded_files_e0", 777_217)),
    _judged(INCOMPLETE, False),
    _judged(INCOMPLETE, False, Loaded=10),
    _judged(INCOMPLETE, True, Loaded=8),
    _judged(INCOMPLETE, True, Loaded=-1),
    _judged(INCOMPLETE, True, Unreadable=1),
    _judged(INCOMPLETE, False, Loaded=0, Status="InProgress"),
    _judged(NOTHING, True, Loaded=0),
    _judged(NOTHING, False),
    _judged(LOADED, True),
    _judged(NO_CAPACITY, True, Status="Failed", Reason="CapacityError: none"),
    _judged(NO_CAPACITY, False, Status="Failed", Reason="AlgorithmError: CapacityError"),
    _judged(ENDED, True, Status="Stopped"),
    _judged(ENDED, False, Status="Stopping"),
]
TAGS = [
    preload(
        "RememberLinks",
        "Arguments.Tags",
        [{"Key": f"headrace:preloaded:{link}", "Value": AT_START} for link in links],
        missing=links,
        context=execution(),
    )
    for links in (["a"], ["a", "b"])
]

ROWS = [*FIRST, *MISSING, *IMPORTS, *JUDGED_IMPORTS, *EXPECTED, *JOBS, *JUDGED, *TAGS]
