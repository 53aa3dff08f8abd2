"""The rule of channel names: each becomes a folder of ``/opt/ml/input/data``, or FIFOs beside the folders.

A channel in Pipe mode is one FIFO for each epoch, named after the channel and the epoch's number: ``train_0``.
Source: Amazon SageMaker API Reference, Channel; Developer Guide, "How Amazon SageMaker AI Provides Training
Information".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.job import JobSpec
from headrace.rules.values import finding


@rule("V115")
def channel_names_are_folders(spec: JobSpec) -> Iterator[Finding]:
    """Each channel has a name of its own, which is a folder's, and none that a Pipe channel gives its FIFOs."""
    for name, times in Counter(name for name, _ in spec.channels).items():
        field = f"channels.{name}"
        fifo_of, _, epoch = name.rpartition("_")
        if times > 1:
            is_code = spec.entry_point is not None and name == spec.channels[-1][0]
            fix = f"name {'yours otherwise: source_dir travels in this one' if is_code else 'the others otherwise'}"
            yield finding("V115", field, f"{times} channels", "each name once", fix)
        elif name in (".", ".."):
            allowed = "the name of a folder; this one is another folder, whose files would be replaced"
            yield finding("V115", field, name, allowed, "name it otherwise")
        elif fifo_of in spec.pipe_channels and epoch.isdecimal():
            allowed = f"no name that channel {fifo_of} gives to its FIFO of an epoch, since it is in Pipe mode"
            yield finding("V115", field, name, allowed, "name it otherwise")


CHANNEL_NAME_RULES: tuple[Rule[Any], ...] = (channel_names_are_folders,)
"""Rules of the names of channels in a :class:`JobSpec`."""
