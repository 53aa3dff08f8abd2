"""What the reaper does with a file system: as a table, and as properties of every decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from headrace.ephemeral.reaping import (
    Action,
    Condition,
    FileSystemFacts,
    Owner,
    decide,
)
from headrace.ephemeral.reaping import time_text as tag
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MAX_HOURS = 24


ENDED = Owner(started=NOW - 6 * HOUR, ended=NOW - 2 * HOUR)
EARLY_END = Owner(started=NOW - 6 * HOUR, ended=NOW - 5 * HOUR - 20 * MINUTE)
DUE = FileSystemFacts(
    file_system_id="fs-1",
    lifecycle="AVAILABLE",
    created=NOW - 6 * HOUR + MINUTE,
    has_platform_tag=True,
    owner_arn="arn:aws:states:x:1:execution:m:n",
    owner=ENDED,
    expires_tag=tag(NOW - HOUR),
    marked_tag=None,
)
OLD_MARK = {"marked_tag": tag(NOW - 15 * MINUTE)}

KEPT: list[tuple[dict[str, Any], Condition]] = [
    ({"has_platform_tag": False}, Condition.OWNED),
    ({"owner_arn": None}, Condition.OWNED),
    ({"itself_tag": "fs-another"}, Condition.ITSELF),
    ({"lifecycle": "DELETING"}, Condition.LIVING),
    ({"expires_tag": tag(NOW)}, Condition.EXPIRED),
    ({"expires_tag": tag(NOW + MINUTE)}, Condition.EXPIRED),
    ({"expires_tag": None}, Condition.EXPIRED),
    ({"owner": Owner(is_known=False)}, Condition.OWNER_ENDED),
    ({"owner": Owner(is_running=True, started=NOW - 6 * HOUR)}, Condition.OWNER_ENDED),
    ({"created": NOW - 7 * HOUR}, Condition.OWNER_ENDED),
    ({"created": NOW - HOUR}, Condition.OWNER_ENDED),
    ({"created": NOW - 5 * HOUR + 11 * MINUTE}, Condition.OWNER_ENDED),
    ({"owner": EARLY_END, "created": NOW - 5 * HOUR - 9 * MINUTE}, Condition.OWNER_ENDED),
    ({"mounted_by": ("job",)}, Condition.UNMOUNTED),
    ({"unknown_jobs": 1}, Condition.UNMOUNTED),
    ({"clients": 1.0}, Condition.NO_CLIENTS),
    ({"clients": None}, Condition.NO_CLIENTS),
]


@pytest.mark.parametrize(("changes", "condition"), KEPT)
def test_one_condition_that_does_not_hold_keeps_it(changes: dict[str, Any], condition: Condition) -> None:
    """And takes a mark away, as far as it may be touched at all."""
    plain = decide(replace(DUE, **changes), NOW, MAX_HOURS)
    assert plain.action is Action.KEEP
    assert [name for name, holds in plain.holds.items() if not holds] == [condition]
    marked = decide(replace(DUE, **changes, **OLD_MARK), NOW, MAX_HOURS)
    is_untouchable = condition in (Condition.OWNED, Condition.LIVING)
    assert marked.action is (Action.KEEP if is_untouchable else Action.UNMARK)


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.MARK),
        ({"marked_tag": "soon"}, Action.MARK),
        ({"marked_tag": ""}, Action.MARK),
        ({"marked_tag": tag(NOW - 15 * MINUTE + timedelta(milliseconds=1))}, Action.WAIT),
        ({"marked_tag": tag(NOW + HOUR)}, Action.WAIT),
        (OLD_MARK, Action.DELETE),
        ({**OLD_MARK, "owner": Owner()}, Action.DELETE),
        ({**OLD_MARK, "lifecycle": "FAILED"}, Action.DELETE),
        ({**OLD_MARK, "created": NOW - 6 * HOUR - 10 * MINUTE}, Action.DELETE),
        ({**OLD_MARK, "created": NOW - 5 * HOUR + 10 * MINUTE}, Action.DELETE),
        ({**OLD_MARK, "owner": EARLY_END, "created": NOW - 5 * HOUR - 10 * MINUTE}, Action.DELETE),
        (
            {**OLD_MARK, "expires_tag": "tomorrow", "created": NOW - 25 * HOUR, "owner": Owner()},
            Action.DELETE,
        ),
    ],
)
def test_what_is_due_is_marked_first(changes: dict[str, Any], action: Action) -> None:
    """And deleted a quarter of an hour later. An expiry that cannot be read is the longest lifetime."""
    assert decide(replace(DUE, **changes), NOW, MAX_HOURS).action is action


TIMES = st.datetimes(NOW.replace(tzinfo=None) - 30 * HOUR, NOW.replace(tzinfo=None) + 30 * HOUR).map(
    lambda each: each.replace(tzinfo=UTC)
)
TAGS = st.one_of(
    st.none(),
    TIMES.map(tag),
    st.text(max_size=5),
    st.from_regex(r"2026-[01][0-9]-0[1-3]T1[0-9]:[0-9]5:00([.]000)?Z", fullmatch=True),
)
OWNERS = st.builds(
    Owner, is_known=st.booleans(), is_running=st.booleans(), started=st.none() | TIMES, ended=st.none() | TIMES
)
FACTS = st.builds(
    FileSystemFacts,
    file_system_id=st.just("fs-1"),
    lifecycle=st.sampled_from(["CREATING", "AVAILABLE", "FAILED", "MISCONFIGURED", "DELETING"]),
    created=TIMES,
    has_platform_tag=st.booleans(),
    owner_arn=st.none() | st.just("arn"),
    owner=OWNERS,
    expires_tag=TAGS,
    marked_tag=TAGS,
    mounted_by=st.just(()) | st.just(("job",)),
    unknown_jobs=st.sampled_from([0, 0, 1]),
    clients=st.sampled_from([0.0, 0.0, 2.0, None]),
)


@given(FACTS)
def test_only_what_is_due_and_was_marked_is_deleted(facts: FileSystemFacts) -> None:
    """Whatever the tags say."""
    decision = decide(facts, NOW, MAX_HOURS)
    if decision.action is Action.DELETE:
        assert decision.is_due
        assert decision.marked is not None
        assert decision.marked <= tag(NOW - 15 * MINUTE)
    if not decision.is_due:
        assert decision.action in (Action.KEEP, Action.UNMARK)
    if facts.owner.is_running or facts.mounted_by or facts.clients != 0 or not facts.has_platform_tag:
        assert decision.action in (Action.KEEP, Action.UNMARK)


@given(FACTS)
def test_marking_leads_to_deleting_in_two_runs(facts: FileSystemFacts) -> None:
    """What is due and stays so goes, and nothing is marked for ever."""
    first = decide(facts, NOW, MAX_HOURS)
    if first.action is Action.MARK:
        later = NOW + 15 * MINUTE
        assert decide(replace(facts, marked_tag=tag(NOW)), later, MAX_HOURS).action is Action.DELETE


@pytest.mark.parametrize(
    ("text", "is_expired"),
    [
        ("2026-01-02T11:59:59.999Z", True),
        ("2026-01-02T11:59:59Z", True),
        ("2026-01-02T12:00:00.000Z", False),
        ("2026-13-02T12:00:00Z", False),
        ("2025-13-02T12:00:00Z", True),
        # no times: the longest lifetime counts, and that is not over
        ("2026-01-02T11:59:59", False),
        ("2026-01-02T11:59:59+00:00", False),
        ("٢026-01-02T11:59:59Z", False),
        ("", False),
        (None, False),
    ],
)
def test_times_of_tags_are_compared_as_the_machine_does(text: str | None, is_expired: bool) -> None:
    """As text of one form; all else is none."""
    assert decide(replace(DUE, expires_tag=text), NOW, MAX_HOURS).holds[Condition.EXPIRED] is is_expired
