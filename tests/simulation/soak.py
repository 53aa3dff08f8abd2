"""Many seeds, in ranges that can be taken up again: `python -m tests.simulation.soak --seeds 0-9999`.

Progress goes to stderr, the result to stdout; exit code 1 when a seed breaks an invariant, with the command that tells
its story. `--state FILE` notes which ranges are done: a soak that was stopped goes on where it was, and starts anew
when a definition has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from typer import echo

from tests.simulation.definitions import definitions, machines
from tests.simulation.drawing import MODES, drawn
from tests.simulation.invariants import breaches
from tests.simulation.schedule import Schedule

CHUNK = 50


@dataclass
class Tally:
    """What a range of seeds came to."""

    seeds: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    ended_at: Counter[str] = field(default_factory=Counter)  # machine/state at which a run was ended from outside
    visits: Counter[str] = field(default_factory=Counter)  # machine/state
    seen_in: dict[str, int] = field(default_factory=dict)  # machine/state -> the first seed that entered it
    file_systems: int = 0
    deletions: int = 0
    states: int = 0
    calls: int = 0
    hours: float = 0.0

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.broken |= other.broken
        self.seen_in = {**other.seen_in, **self.seen_in}
        for name in ("ends", "modes", "ended_at", "visits"):
            getattr(self, name).update(getattr(other, name))
        for name in ("file_systems", "deletions", "states", "calls", "hours"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def run(seed: int) -> Schedule:
    """The schedule of a seed, run to its end."""
    return Schedule(machines(), drawn(str(seed), machines()), str(seed)).run()


def tallied(seeds: Sequence[int]) -> Tally:
    tally = Tally()
    for seed in seeds:
        schedule = run(seed)
        found = breaches(schedule)
        executions = schedule.world.step_functions.executions.values()
        tally.seeds += 1
        if found:
            tally.broken[str(seed)] = found
        tally.ends[f"{schedule.flow.status} {schedule.flow.error or ''}".strip()] += 1
        tally.modes.update(schedule.plan.names or ("everyday",))
        tally.ended_at.update(schedule.ended_at)
        visits = {"/".join(at): count for at, count in schedule.world.record.visits.items()}
        tally.visits.update(visits)
        tally.seen_in = {**dict.fromkeys(visits, seed), **tally.seen_in}
        tally.file_systems += sum(each.creator is not None for each in schedule.world.fsx.file_systems.values())
        tally.deletions += len(schedule.world.record.deletions)
        tally.states += sum(each.states for each in executions)
        tally.calls += schedule.world.record.calls.total()
        tally.hours += (schedule.world.clock.now - schedule.world.clock.start) / 3600
    return tally


def soak(seeds: range, processes: int, state: Path | None) -> Tally:
    """All of them, less those that the state file knows already."""
    done, total = _known(state), Tally()
    for text in done.values():
        total.add(_tally(text))
    chunks = [range(start, min(start + CHUNK, seeds.stop)) for start in range(seeds.start, seeds.stop, CHUNK)]
    left = [chunk for chunk in chunks if _name(chunk) not in done]
    started = time.monotonic()
    for chunk, tally in _results(left, processes):
        total.add(tally)
        done[_name(chunk)] = tally.__dict__
        if state is not None:
            state.parent.mkdir(parents=True, exist_ok=True)
            state.write_text(json.dumps({"definitions": _fingerprint(), "done": done}))
        per_second = (total.seeds or 1) / max(0.001, time.monotonic() - started)
        echo(f"\r{total.seeds} seeds, {len(total.broken)} broken, {per_second:.0f}/s ", nl=False, err=True)
    echo("", err=True)
    return total


def _results(chunks: Sequence[range], processes: int) -> Iterator[tuple[range, Tally]]:
    if processes == 1:
        yield from ((chunk, tallied(chunk)) for chunk in chunks)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from zip(chunks, pool.map(tallied, chunks), strict=True)


def _name(chunk: range) -> str:
    return f"{chunk.start}-{chunk.stop - 1}"


@cache
def _fingerprint() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    text = json.dumps(definitions(), sort_keys=True) + "".join(each.read_text(encoding="utf-8") for each in sources)
    return hashlib.sha256(text.encode()).hexdigest()


def _known(state: Path | None) -> dict[str, dict[str, Any]]:
    if state is None or not state.exists():
        return {}
    noted = json.loads(state.read_text())
    if noted["definitions"] != _fingerprint():
        echo("the definitions or the simulation have changed: from the beginning", err=True)
        return {}
    found: dict[str, dict[str, Any]] = noted["done"]
    return found


def _tally(text: dict[str, Any]) -> Tally:
    counters = {name: Counter(text[name]) for name in ("ends", "modes", "ended_at", "visits")}
    return Tally(**{**text, **counters})


def report(tally: Tally) -> Iterator[str]:
    yield (
        f"{tally.seeds} schedules, {len(tally.broken)} broken: {tally.file_systems} file systems created, "
        f"{tally.deletions} deletes accepted, {tally.states} states, {tally.calls} calls, "
        f"{tally.hours:.0f} virtual hours"
    )
    yield "ends: " + ", ".join(f"{count} {name}" for name, count in tally.ends.most_common())
    yield "failure modes: " + ", ".join(f"{count} {name}" for name, count in sorted(tally.modes.items()))
    names = {f"{machine}/{state}" for machine in machines() for state in machines()[machine].state_names}
    yield f"ended from outside at {len(names & tally.ended_at.keys())} of {len(names)} states"
    if never := sorted(names - tally.visits.keys()):
        yield f"never entered: {', '.join(never)}"
    if missing := sorted(MODES.keys() - tally.modes.keys()):
        yield f"not drawn: {', '.join(missing)}"
    for seed, found in list(tally.broken.items())[:20]:
        yield f"seed {seed}: {found[0]}"
        yield f"  python -m tests.simulation.soak --seed {seed} --trace"


def tell(seed: int, *, trace: bool) -> int:
    """One seed; its story, when asked for."""

    def teller(seconds: float, who: str, where: str, what: str) -> None:
        hours, rest = divmod(seconds, 3600)
        echo(f"{hours:3.0f}:{rest // 60:02.0f}:{rest % 60:05.2f}  {who}  {where}  {what}")

    schedule = Schedule(machines(), drawn(str(seed), machines()), str(seed), tell=teller if trace else None)
    echo(f"seed {seed}: {', '.join(schedule.plan.names) or 'everyday'}\n{schedule.plan}")
    found = breaches(schedule.run())
    echo(f"the flow is {schedule.flow.status} {schedule.flow.error or ''}: {schedule.flow.cause or ''}")
    echo("\n".join(found) or "no invariant is broken")
    return 1 if found else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seeds", help="a range, both ends in it: 0-9999")
    which.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell its story")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path, help="a file that notes what is done")
    given = parser.parse_args(arguments)
    definitions()  # before the processes part: one synthesis for all
    if given.seed is not None:
        return tell(given.seed, trace=given.trace)
    first, _, last = given.seeds.partition("-")
    tally = soak(range(int(first), int(last or first) + 1), given.processes, given.state)
    echo("\n".join(report(tally)))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
