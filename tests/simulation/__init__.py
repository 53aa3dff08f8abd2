"""The machines on a virtual clock: what they do when AWS does its worst, some ten thousand times over.

The definitions of the synthesised template run in an interpreter of Amazon States Language (`interpreter`), against
simulated services (`simulated_*`) that answer, refuse, forget and are late as a seed says (`faults`). A schedule is one
seed: one world, its flows, teardowns and reapers, until the last deadline has passed (`schedule`); the invariants of
the project are then read off what really happened in the world, not off what a machine believed (`invariants`).

Nothing here waits: an hour of virtual time takes a millisecond, and the same seed always tells the same story.
`python -m tests.simulation.soak --seeds 0-9999` is the long run, `python -m tests.simulation.figures` the figures.
"""
