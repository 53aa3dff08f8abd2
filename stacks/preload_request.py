"""What the machine that loads the shared Lustre after a deployment asks of SageMaker: the job of ``headrace preload``.

A module of its own, since it imports much of the job side: only where the setting is on. The records may hold tokens.
"""

from __future__ import annotations

from typing import Any

from headrace.platform import FoundationPart, LustrePart, Platform
from headrace.preload.job import Preload, standing_request

from stacks.settings import PreloadSettings


def preload_request(foundation: FoundationPart, lustre: LustrePart, chosen: PreloadSettings) -> dict[str, Any]:
    """The CreateTrainingJob request of a job that reads all links. Raises InvalidInput for what cannot be."""
    wanted = Preload(image=chosen.image, instance_type=chosen.instance_type, readers=chosen.readers)
    return standing_request(wanted, Platform(foundation=foundation, lustre=lustre))
