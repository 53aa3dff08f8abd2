"""What goes wrong in one schedule, drawn from its seed before anything starts: the plan, not the happenings.

`Faults()` is the world as AWS runs on a good day, for the figures; `drawing` takes one or a few failure modes
for a seed. Latencies are those of AWS: a file system takes 5 to 12 minutes, a job two minutes to start, a
stop up to two, a deletion some minutes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

HOUR, MINUTE = 3600.0, 60.0


class Outcome(Enum):
    """What becomes of a file system or a link that is being created."""

    AVAILABLE = "AVAILABLE"
    FAILED = "FAILED"
    MISCONFIGURED = "MISCONFIGURED"


class Span(NamedTuple):
    """Seconds, at least and at most."""

    least: float
    most: float

    def drawn(self, chance: random.Random) -> float:
        return chance.uniform(self.least, self.most)


# what things take on a good day
CREATION = Span(300, 720)
LINK = Span(45, 240)
IMPORT = Span(30, 400)
DELETION = Span(60, 420)
TRAINING = Span(600, 3 * HOUR)
PRELOAD = Span(120, 1500)
START = Span(60, 200)
STOP = Span(15, 120)
DELIVERY = Span(0.5, 5)


@dataclass(frozen=True)
class CallFaults:
    """The chances of a single call: none of them says what was asked for, only what becomes of the request."""

    throttled: float = 0.0  # refused at once, without effect
    lost: float = 0.0  # never arrives
    unanswered: float = 0.0  # has its effect, and no answer comes
    failed: float = 0.0  # an internal error, before or after the effect
    late: float = 0.0  # takes up to a minute and a half
    only: str | None = None  # the one action that they strike; None: every action
    at_most: int | None = None  # how often; None: as long as the schedule runs

    @property
    def any(self) -> float:
        return self.throttled + self.lost + self.unanswered + self.failed + self.late


@dataclass(frozen=True)
class FsxFaults:
    creation: Outcome = Outcome.AVAILABLE
    creation_span: Span = CREATION
    link: Outcome = Outcome.AVAILABLE
    last_link_only: bool = False  # what becomes of the last link; the others are well
    link_span: Span = LINK
    import_span: Span = IMPORT
    import_fails: bool = False
    objects: int = 50_000
    objects_that_fail: int = 0
    service_limit: bool = False
    deletes_refused: int = 0
    deletes_that_fail: int = 0  # accepted, and some minutes later the file system is back
    deleting_is_refused: bool = False  # a second delete is an error, not a repetition
    deletion_span: Span = DELETION
    skew_seconds: float = 0.0

    def creation_seconds(self, chance: random.Random) -> float:
        return self.creation_span.drawn(chance)

    def link_seconds(self, chance: random.Random) -> float:
        return self.link_span.drawn(chance)

    def import_seconds(self, chance: random.Random) -> float:
        return self.import_span.drawn(chance)

    def deletion_seconds(self, chance: random.Random) -> float:
        return self.deletion_span.drawn(chance)


class Course(Enum):
    """How a training job goes on after its start."""

    COMPLETES = "completes"
    FAILS = "fails"
    IS_STOPPED = "is stopped by its user"
    STALLS = "runs into its longest runtime"


@dataclass(frozen=True)
class SageMakerFaults:
    training: Course = Course.COMPLETES
    training_span: Span = TRAINING
    preload: Course = Course.COMPLETES
    preload_span: Span = PRELOAD
    files_not_loaded: int = 0
    unreadable_files: int = 0
    capacity_failures: int = 0  # so many jobs find no instances, whichever they are
    limit_exceeded: int = 0  # so many creates are refused by a quota
    start_span: Span = START
    stop_span: Span = STOP
    list_delay_seconds: float = 0.0  # a new job is not in the list before
    stop_is_refused: int = 0
    skew_seconds: float = 0.0


@dataclass(frozen=True)
class StepFunctionsFaults:
    stale_seconds: float = 0.0  # describeExecution is eventually consistent
    skew_seconds: float = 0.0


@dataclass(frozen=True)
class EventFaults:
    """Deliveries of a change of status: at least one, some time."""

    delay: Span = DELIVERY
    copies: int = 1
    forgotten: bool = False  # beyond what EventBridge promises: what then only the reaper can mend


@dataclass(frozen=True)
class Ending:
    """The end of an execution from outside: at its n-th visit of a state, some seconds later."""

    machine: str
    status: str  # ABORTED, TIMED_OUT, FAILED (States.Runtime or States.DataLimitExceeded)
    error: str | None
    state: str
    visit: int
    delay_seconds: float
    times: int = 1  # how many executions of the machine meet it


@dataclass(frozen=True)
class Bystander:
    """A file system that is none of the flow's: what it is, when it appears, and what uses it."""

    kind: str  # a key of bystanders.KINDS
    appears_seconds: float = 0.0
    clients: int = 0


@dataclass(frozen=True)
class Guest:
    """A training job of somebody else on the flow's file system, or one that comes when it is marked."""

    when: str  # hold, expired, marked, ended
    delay_seconds: float
    seconds: float


@dataclass(frozen=True)
class TagEdit:
    """Somebody changes a tag of the flow's own file system, some time after it is made; None: takes it away."""

    key: str
    value: str | None
    delay_seconds: float


@dataclass(frozen=True)
class Faults:
    """The plan of one schedule."""

    mode: str = "train"  # train, hold
    preload: bool = False
    links: int = 1
    lifetime_seconds: float = 26 * HOUR
    ready_seconds: float = 1904
    capacity_attempts: int = 3
    calls: tuple[CallFaults, ...] = ()
    fsx: FsxFaults = field(default_factory=FsxFaults)
    sagemaker: SageMakerFaults = field(default_factory=SageMakerFaults)
    step_functions: StepFunctionsFaults = field(default_factory=StepFunctionsFaults)
    events: EventFaults = field(default_factory=EventFaults)
    endings: tuple[Ending, ...] = ()
    bystanders: tuple[Bystander, ...] = ()
    guests: tuple[Guest, ...] = ()
    tag_edits: tuple[TagEdit, ...] = ()
    spoiled: str | None = None  # what of the input is not as the launcher makes it: a key of requests.SPOILT
    job_name_taken: bool = False  # a training job of that name is there already, somebody else's
    asked_too_early_seconds: float | None = None  # somebody starts the teardown of an owner that runs
    neighbours: int = 0  # flows of others, at the same time, without faults of their own
    neighbours_span: Span = field(default_factory=lambda: Span(0, 1.5 * HOUR))  # when they start
    hold_ends_seconds: float | None = None  # the notebook ends its hold by stopping the execution
    names: tuple[str, ...] = ()  # the failure modes that this plan was drawn for
