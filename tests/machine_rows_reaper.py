"""Rows of the reaper: what has expired, who uses it, what is to be done."""

from __future__ import annotations

import re
from typing import Any

from tests.machine_rows import (
    AT_START,
    LATER,
    OF_OTHERS,
    Row,
    reaper,
)
from tests.machine_samples import (
    HOUR,
    LUSTRE_ID,
    OWNER,
    START,
    Record,
    file_system,
    job,
    tags,
)


def _candidates(expected: list[Record], *found: Record, now: int = START + 11 * HOUR) -> Row:
    return reaper(
        "FindFileSystems",
        "Assign.candidates",
        expected,
        result={"FileSystems": list(found)},
        candidates=[],
        startMillis=now,
    )


def _strays(expected: list[str], *found: Record) -> Row:
    return reaper("FindFileSystems", "Assign.strays", expected, result={"FileSystems": list(found)}, strays=[])


def _candidate(**more: Any) -> Record:
    described = file_system()
    return {
        "Id": LUSTRE_ID,
        "Arn": described["ResourceARN"],
        "Owner": OWNER,
        "IsItself": True,
        "Created": START + 60_000,
        "Expires": "2026-11-26T20:15:00.123Z",
        "Expired": True,
        "HasMark": False,
        "Marked": None,
        **more,
    }


def _with(**values: str) -> Record:
    return file_system(Tags=tags(**{"platform": "dev", "owner": OWNER, **values}))


MARK = "2026-11-26T21:00:00.000Z"
LONGEST = "2026-11-27T10:16:00.000Z"


def _decision(expected: str, unknown_jobs: int = 0, owner_ended: bool = True, clients: float = 0, **more: Any) -> Row:
    sees = {"unknownJobs": unknown_jobs, "mounted": ["fs-x"], "ownerEnded": owner_ended, "clients": clients}
    given = _candidate(**more)
    decided = {"Mounted": bool(unknown_jobs), "OwnerEnded": owner_ended, "Clients": clients, "Decision": expected}
    return reaper("Judge/IsDue", "Output", {**given, **decided}, input=given, startMillis=START + 11 * HOUR, **sees)


DECIDED = [
    {
        "Id": f"fs-{n}",
        "Owner": f"o{n}",
        "Marked": f"2026-11-26T0{9 - n}",
        "Decision": "MARK" if n % 4 == 0 else "DELETE",
    }
    for n in range(9)
]
MIDNIGHT = START + 13 * HOUR + 45 * 60_000
NOTHING_TO_TELL: Record = {"started": [], "stuck": [], "strays": []}
WINDOW = {"StartDate": AT_START, "StopDate": "2026-11-26T11:15:00Z"}
REAPER = [
    _candidates([]),
    _candidates([], *OF_OTHERS),
    _candidates([], file_system(), now=START + 10 * HOUR),
    _candidates([_candidate()], file_system()),
    _candidates([_candidate(), _candidate()], file_system(), *OF_OTHERS, file_system()),
    # no expiry, or none that can be read: the longest lifetime, of 24 hours
    *(
        row
        for each in (_with(), _with(expires="soon"), _with(expires=""), _with(expires="2026-11-26 20:15"))
        for row in (
            _candidates([], each, now=START + 24 * HOUR),
            _candidates([_candidate(Expires=LONGEST)], each, now=START + 25 * HOUR),
        )
    ),
    # a date that there is not must not end the run
    _candidates([], _with(expires="2026-13-45T25:61:61Z")),
    _candidates([_candidate(Expires="2026-02-31T00:00:00Z")], _with(expires="2026-02-31T00:00:00Z")),
    # a mark keeps it in view, expired or not
    _candidates([_candidate(Expires=AT_START, HasMark=True, Marked=MARK)], _with(expires=AT_START, marked=MARK)),
    _candidates(
        [_candidate(Expires=LATER, HasMark=True, Marked=MARK, Expired=False)], _with(expires=LATER, marked=MARK)
    ),
    _candidates([_candidate(Expires=AT_START, HasMark=True)], _with(expires=AT_START, marked="yes")),
    # it says which one it is; a copy of its tags says another
    _candidates([_candidate(Expires=AT_START)], _with(expires=AT_START, file_system=LUSTRE_ID)),
    _candidates([_candidate(Expires=AT_START, IsItself=False)], _with(expires=AT_START, file_system="fs-x")),
    _strays([]),
    _strays([], file_system(), *OF_OTHERS),
    _strays([LUSTRE_ID], file_system(Tags=tags(platform="dev", expires=LATER))),
    _strays([LUSTRE_ID], file_system(Tags=tags(owner=OWNER, expires=LATER))),
    reaper("DescribeJobs", "Assign", {"mounted": [], "unknownJobs": 0}, result=[], mounted=[], unknownJobs=0),
    reaper(
        "DescribeJobs",
        "Assign",
        {"mounted": ["a"], "unknownJobs": 1},
        result=[{"FileSystemIds": ["a"], "IsUnknown": False}, {"FileSystemIds": [], "IsUnknown": True}],
        mounted=[],
        unknownJobs=0,
    ),
    reaper(
        "DescribeJobs",
        "Assign.mounted",
        ["a", "b"],
        result=[{"FileSystemIds": ["b", "a"], "IsUnknown": False}],
        mounted=["a"],
    ),
    reaper("DescribeJobs/DescribeJob", "Output.FileSystemIds", [], result=job(InputDataConfig=None)),
    reaper("DescribeJobs/DescribeJob", "Output.FileSystemIds", [LUSTRE_ID], result=job()),
    *(
        reaper("Judge/DescribeOwner", "Assign.ownerEnded", expected, result=result, input={"Created": created})
        for expected, result, created in (
            (False, {"Status": "RUNNING", "StartDate": AT_START}, START),
            (True, {"Status": "ABORTED", **WINDOW}, START),
            (True, {"Status": "FAILED", **WINDOW}, START + HOUR + 600_000),
            (False, {"Status": "FAILED", **WINDOW}, START + HOUR + 600_001),
            (False, {"Status": "SUCCEEDED", **WINDOW}, START - 600_001),
        )
    ),
    reaper("Judge/CountClients", "Assign.clients", 0, result={"Datapoints": []}),
    reaper("Judge/CountClients", "Assign.clients", 0, result={"Label": "ClientConnections"}),
    reaper("Judge/CountClients", "Assign.clients", 2, result={"Datapoints": [{"Maximum": 2.0}]}),
    reaper("Judge/CountClients", "Assign.clients", 3, result={"Datapoints": [{"Maximum": 0.0}, {"Maximum": 3.0}]}),
    reaper("Judge/CountClients", "Arguments.StartTime", "2026-11-26T10:00:00.000Z", startMillis=START),
    _decision("MARK"),
    _decision("KEEP", unknown_jobs=1),
    _decision("KEEP", owner_ended=False),
    _decision("KEEP", clients=1),
    _decision("KEEP", clients=-1),
    _decision("KEEP", Expired=False),
    _decision("KEEP", IsItself=False),
    _decision("DELETE", HasMark=True, Marked=MARK),
    _decision("WAIT", HasMark=True, Marked="2026-11-26T21:00:00.001Z"),
    _decision("UNMARK", HasMark=True, Marked=MARK, clients=1),
    _decision("UNMARK", HasMark=True, Marked=MARK, Expired=False),
    _decision("MARK", HasMark=True),
    reaper("Judge", "Assign.deletes", [], result=DECIDED[:1]),
    reaper("Judge", "Assign.deletes", [DECIDED[1]], result=DECIDED[:2]),
    reaper("Judge", "Assign.deletes", [DECIDED[n] for n in (1, 2, 3, 5, 6)], result=DECIDED),
    reaper("Judge", "Assign.decisions", DECIDED[:1], result=DECIDED[:1]),
    reaper("Mark", "Items", [], decisions=DECIDED[1:2]),
    reaper("Mark", "Items", [DECIDED[0]], decisions=DECIDED[:2]),
    reaper("TakeDown/StartTeardown", "Arguments.Input", '{"FileSystemId":"fs-1","StopJobs":false}', input=DECIDED[1]),
    reaper(
        "Tell",
        "Arguments.Message",
        re.compile("being deleted: fs-1, fs-2. Find out .* it. $"),
        **{**NOTHING_TO_TELL, "started": ["fs-1", "fs-2"]},
    ),
    reaper(
        "Tell",
        "Arguments.Message",
        re.compile("^Expired for more than six hours, and kept: fs-0123456789abcdef0 [(]it has clients[)]. See"),
        **{**NOTHING_TO_TELL, "stuck": [{**_candidate(), "OwnerEnded": True, "Mounted": False}]},
    ),
    reaper(
        "Tell",
        "Arguments.Message",
        re.compile("nobody deletes them: fs-9[.]$"),
        **{**NOTHING_TO_TELL, "strays": ["fs-9"]},
    ),
    *(
        reaper(
            "IsAnythingToTell",
            "Choices[0].Condition",
            expected,
            startMillis=moment,
            **{**NOTHING_TO_TELL, **told},
        )
        for expected, moment, told in (
            (False, START, {}),
            (True, START, {"started": ["fs-1"]}),
            (False, START, {"strays": ["fs-1"]}),
            # once a day
            (True, MIDNIGHT, {"strays": ["fs-1"]}),
            (True, MIDNIGHT + 899_999, {"stuck": [_candidate()]}),
            (False, MIDNIGHT + 900_000, {"stuck": [_candidate()]}),
        )
    ),
]

ROWS = REAPER
