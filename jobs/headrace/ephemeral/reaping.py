"""What the reaper decides about one file system, as a pure function of what it sees; the machine decides the same.

Due is what carries the platform's tag and an owner's, and has expired, and was made while an owner ran that runs no
more (tags can be copied), and that no training job mounts, and that has no client. What is due is marked first, and
deleted when it is still due a quarter of an hour later; a mark that is not due any more is taken away. What cannot be
found out counts against deleting, except that no data of CloudWatch counts as no client: FSx may publish none for a
file system without clients, or in creation. A call to CloudWatch that fails counts as a client. Source:
constructs/headrace_cdk/machines/reaper.asl.yaml, state IsDue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

MARK_AGE: Final = timedelta(minutes=15)
CLOCKS_DIFFER: Final = timedelta(minutes=10)
MADE_WITHIN: Final = timedelta(hours=1)
"""A flow makes its file system so soon after its start, or not at all."""
# other spellings of a time are none
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{3})?Z", re.ASCII)


class Action(StrEnum):
    """What the reaper does with a file system; the machine's words."""

    KEEP = "KEEP"
    MARK = "MARK"
    WAIT = "WAIT"
    UNMARK = "UNMARK"
    DELETE = "DELETE"


class Condition(StrEnum):
    """What must hold before a file system is due, in the order in which a table shows it."""

    OWNED = "platform and owner tags"
    ITSELF = "tags are its own"
    LIVING = "not being deleted"
    EXPIRED = "expired"
    OWNER_ENDED = "owner ended"
    UNMOUNTED = "no job mounts it"
    NO_CLIENTS = "no clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The execution that an owner tag names. ``is_known`` False: it could not be asked.

    ``started`` is None where Step Functions knows it no more: executions are forgotten after 90 days. ``ended`` is
    None while it runs.
    """

    is_known: bool = True
    is_running: bool = False
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemFacts:
    """A file system as the reaper sees it. Times are UTC.

    ``has_platform_tag``: with this platform's name. ``itself_tag``: the id that the flow wrote. ``expires_tag``,
    ``marked_tag``: their text, None without the tag.
    ``mounted_by``: names of jobs that run or are stopping. ``unknown_jobs``: how many of those could not be asked what
    they mount. ``clients``: the most in the last quarter of an hour, 0 without data; None where CloudWatch did not say.
    """

    file_system_id: str
    lifecycle: str
    created: datetime
    has_platform_tag: bool
    owner_arn: str | None
    owner: Owner
    expires_tag: str | None
    marked_tag: str | None
    itself_tag: str | None = None
    mounted_by: tuple[str, ...] = ()
    unknown_jobs: int = 0
    clients: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the reaper would do, and which of the conditions hold. ``expires``, ``marked``: as they are compared."""

    facts: FileSystemFacts
    action: Action
    holds: dict[Condition, bool]
    expires: str
    marked: str | None

    @property
    def is_due(self) -> bool:
        """Whether all conditions hold."""
        return all(self.holds.values())


def decide(facts: FileSystemFacts, now: datetime, max_hours: int) -> Decision:
    """The decision on one file system. ``max_hours``: the longest lifetime, for one whose expiry cannot be read."""
    expires = _readable(facts.expires_tag) or time_text(facts.created + timedelta(hours=max_hours))
    marked = _readable(facts.marked_tag)
    holds = {
        Condition.OWNED: facts.has_platform_tag and facts.owner_arn is not None,
        Condition.ITSELF: facts.itself_tag in (None, facts.file_system_id),
        Condition.LIVING: facts.lifecycle != "DELETING",
        Condition.EXPIRED: expires < time_text(now),
        Condition.OWNER_ENDED: _has_ended(facts.owner, facts.created),
        Condition.UNMOUNTED: not facts.mounted_by and facts.unknown_jobs == 0,
        Condition.NO_CLIENTS: facts.clients == 0,
    }
    return Decision(facts=facts, action=_action(facts, holds, marked, now), holds=holds, expires=expires, marked=marked)


def _action(facts: FileSystemFacts, holds: dict[Condition, bool], marked: str | None, now: datetime) -> Action:
    if not holds[Condition.OWNED] or not holds[Condition.LIVING]:
        return Action.KEEP
    if not all(holds.values()):
        return Action.KEEP if facts.marked_tag is None else Action.UNMARK
    if marked is None:
        return Action.MARK
    return Action.DELETE if marked <= time_text(now - MARK_AGE) else Action.WAIT


def _has_ended(owner: Owner, created: datetime) -> bool:
    if not owner.is_known or owner.is_running:
        return False
    if owner.started is None:
        return True
    return owner.ended is not None and was_made_in_time(owner.started, owner.ended, created)


def was_made_in_time(started: datetime, ended: datetime | None, created: datetime) -> bool:
    """Whether a file system was made when a flow with these times makes its own; ``ended`` is None while it runs."""
    made_until = started + MADE_WITHIN
    made_until = made_until if ended is None else min(made_until, ended)
    return started - CLOCKS_DIFFER <= created <= made_until + CLOCKS_DIFFER


def time_text(when: datetime) -> str:
    """A time as the machine writes it into a tag."""
    when = when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def _readable(text: str | None) -> str | None:
    """A tag's time, which is compared as text: a thirteenth month is none, and must not end a run."""
    return text if text is not None and _TIME.fullmatch(text) else None
