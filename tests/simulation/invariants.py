"""What must hold after every schedule, whatever went wrong in it.

Each invariant reads the record of what really happened and yields one sentence for each breach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation import invariants_of_file_systems as file_systems
from tests.simulation import invariants_of_runs as runs
from tests.simulation.schedule import Schedule

Invariant = Callable[[Schedule], Iterator[str]]

INVARIANTS: tuple[Invariant, ...] = (
    file_systems.at_most_one_lives_per_execution,
    file_systems.none_is_untagged,
    file_systems.all_are_deleted_or_alarmed,
    file_systems.none_is_deleted_under_a_job,
    file_systems.no_training_is_billed_without_its_file_system,
    file_systems.nothing_living_is_deleted,
    file_systems.an_end_by_itself_leaves_nothing,
    file_systems.an_end_from_outside_is_followed_soon,
    file_systems.the_reaper_looks_twice,
    file_systems.the_reaper_stops_no_job,
    file_systems.the_cap_holds,
    file_systems.nothing_above_the_cap_is_used,
    file_systems.the_reaper_tells,
    runs.training_begins_with_everything_imported,
    runs.training_follows_a_full_preload,
    runs.no_job_is_left_running,
    runs.failures_say_why,
    runs.success_is_true,
    runs.nothing_runs_for_ever,
    runs.history_is_short,
    runs.calls_are_few,
    runs.answers_are_of_the_api,
)


def breaches(schedule: Schedule) -> list[str]:
    """Every breach of every invariant, each with the invariant's name."""
    return [f"{each.__name__}: {text}" for each in INVARIANTS for text in each(schedule)]
