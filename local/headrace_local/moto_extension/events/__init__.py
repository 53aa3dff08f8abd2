"""EventBridge: what the services tell of themselves reaches the rules of the default bus, and a rule starts a machine.

moto lets no service tell of anything, knows no state machine as a target, and takes a rule with a schedule for one that
matches every event. ``bus`` publishes, ``targets`` delivers, ``target_input`` makes what the target is given.
Schedules do not fire by themselves: what a schedule would start, a person starts.
"""

from headrace_local.moto_extension.events import targets


def install() -> None:
    """Put the delivery in the place of moto's."""
    targets.install()
