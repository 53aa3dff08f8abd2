"""The machines keep their promises under some hundred seeded schedules, and the harness cries out over every mutant."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from tests.simulation import soak
from tests.simulation.definitions import machines
from tests.simulation.drawing import MODES, drawn
from tests.simulation.faults import Ending, Faults
from tests.simulation.invariants import breaches
from tests.simulation.mutants import MUTANTS, Mutant, caught_by
from tests.simulation.schedule import Schedule

SEEDS = range(200)  # `make soak` runs ten thousand


@pytest.fixture(scope="module")
def tally() -> soak.Tally:
    return soak.tallied(SEEDS)


def test_the_invariants_hold_over_some_hundred_schedules(tally: soak.Tally) -> None:
    """A seed that breaks one is replayed by `python -m tests.simulation.soak --seed N --trace`."""
    assert tally.broken == {}
    assert tally.modes.keys() >= MODES.keys(), "every failure mode is drawn"
    assert tally.ends["SUCCEEDED"] > len(SEEDS) / 5, "flows also succeed"
    assert tally.deletions > 0


def test_an_end_from_outside_is_survived_at_every_state(tally: soak.Tally) -> None:
    """Of the flow and of the teardown: the schedule that first entered the state, ended there."""
    places = [place for place in tally.seen_in if place.startswith(("ephemeral/", "teardown/"))]
    for place, status in zip(places, cycle(("ABORTED", "TIMED_OUT")), strict=False):
        machine, state = place.split("/")
        seed = tally.seen_in[place]
        plan = drawn(str(seed), machines())
        ending = Ending(machine, status, None, state, visit=1, delay_seconds=0.2)
        ended = Schedule(machines(), replace(plan, endings=(*plan.endings, ending)), str(seed)).run()
        assert breaches(ended) == [], f"seed {seed}, {status} at {place}"
    assert len(places) > 60


def test_answers_of_the_simulated_services_have_the_shape_of_the_api() -> None:
    """What a service answers fits the output shape of the botocore model, whatever goes wrong."""
    for seed in range(40):
        plan = drawn(f"shape-{seed}", machines())
        assert breaches(Schedule(machines(), plan, f"shape-{seed}", check_answers=True).run()) == []


def test_the_same_seed_tells_the_same_story() -> None:
    stories: list[list[str]] = []
    for _ in range(2):
        lines: list[str] = []
        story = Schedule(machines(), drawn("7", machines()), "7", tell=lambda *line, to=lines: to.append(str(line)))
        story.run()
        stories.append(lines)
    assert len(stories[0]) > 100
    assert stories[0] == stories[1]


def test_nothing_goes_wrong_where_nothing_is_made_to() -> None:
    schedule = Schedule(machines(), Faults(preload=True, links=3), "calm").run()
    assert (schedule.flow.status, schedule.flow.error) == ("SUCCEEDED", None)
    assert breaches(schedule) == []
    assert not schedule.world.record.struck


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    """One deliberate fault in the machines breaks an invariant within the stated number of seeds."""
    assert caught_by(mutant, range(mutant.caught_within), mutant.shows_under) is not None


@pytest.mark.parametrize("mode", sorted({mutant.shows_under for mutant in MUTANTS}))
def test_what_shows_a_mutant_shows_nothing_of_the_machines(mode: str) -> None:
    """The same schedules, with the machines as they are."""
    for seed in range(5):
        assert breaches(Schedule(machines(), drawn(str(seed), machines(), mode), str(seed)).run()) == []


def test_a_soak_goes_on_where_it_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "soak.json"
    assert soak.main(["--seeds", "0-9", "--processes", "1", "--state", str(state)]) == 0
    first = capsys.readouterr().out
    assert soak.main(["--seeds", "0-9", "--processes", "1", "--state", str(state)]) == 0
    assert capsys.readouterr().out == first
    assert first.startswith("10 schedules, 0 broken")


def test_a_soak_names_the_seed_that_broke_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "breaches", lambda _: ["one_lives: two live"])
    assert soak.main(["--seeds", "3-3", "--processes", "1"]) == 1
    assert "seed 3: one_lives: two live\n  python -m tests.simulation.soak --seed 3 --trace" in capsys.readouterr().out


def test_a_seed_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--seed", "7", "--trace"]) == 0
    told = capsys.readouterr().out
    assert "fsx:createFileSystem" in told
    assert told.rstrip().endswith("no invariant is broken")
