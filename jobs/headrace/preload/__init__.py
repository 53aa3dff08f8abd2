"""Load what a link of a Lustre file system shows from S3, before a training job would wait for it.

A link shows names and sizes; the content of a file comes when somebody reads it first, and no AWS API brings it. So a
preload is a training job of its own on a small CPU instance, which reads every file through the same kind of channel
(``script/preload.sh``, a shell script for any image).

``contents`` counts what S3 holds, ``rates`` and ``estimate`` say how long it takes and on which instance, ``job`` is
the job, also for a file system that is yet to be made; ``counters`` reads what it says of itself, ``tasks`` finds the
import to compare with; ``loading`` does all this. ``release`` is the reverse.
"""

from __future__ import annotations

from headrace.figures.lustre_content import content_mb_per_second
from headrace.preload.contents import Contents
from headrace.preload.estimate import Bound, Estimate, estimate
from headrace.preload.job import Preload, preload_request
from headrace.preload.loading import (
    PreloadResult,
    PreparedPreload,
    await_imports,
    preload,
    prepare,
    result_of,
    run,
)
from headrace.tally import CountsDiffer, Tally

__all__ = [
    "Bound",
    "Contents",
    "CountsDiffer",
    "Estimate",
    "Preload",
    "PreloadResult",
    "PreparedPreload",
    "Tally",
    "await_imports",
    "content_mb_per_second",
    "estimate",
    "preload",
    "preload_request",
    "prepare",
    "result_of",
    "run",
]
