"""A Lustre file system for one job, or for one notebook: created, linked, filled, used, gone.

The work is a state machine's, so it goes on when the laptop is closed, and whatever fails the file system is taken
down. Here is what stands around the machine: ``preparing`` works out and checks its input (``future_plan``, ``survey``,
``sizing``, ``machine_input``), ``launching`` starts it, ``flows`` finds and follows its executions, of which ``stages``
reads what they are about, ``teardown`` stops them and sees the file system gone. ``notebook`` holds a file system for
as long as a ``with`` block lasts; ``reaping`` says what the reaper would do, ``in_use`` what stands against destroying
a platform.
"""

from headrace.ephemeral.launching import train
from headrace.ephemeral.notebook import HeldLustre, lustre
from headrace.future_lustre import DataCompressionType, EphemeralLustre

__all__ = ["DataCompressionType", "EphemeralLustre", "HeldLustre", "lustre", "train"]
