"""Fill the platform's EFS from S3, so that the data is there before a training job reads it.

Nothing but a client of the file system can write to it, so the load is a training job of its own: its channel
``source`` shows the prefix in FastFile mode (nothing is stored on the instance), its channel ``target`` is the root of
the EFS, writable. The root, since a channel names a directory that exists, and on a new EFS that is the only one.

What is to be there is listed in S3 before (``listing``), travels with the script (``script/load.py``), and is compared
after (``counters``) with what the job says of itself. ``job`` is the job; ``loading`` does all this.
"""

from __future__ import annotations

from headrace.efs_load.job import DEFAULT_INSTANCE_TYPE, DEFAULT_WORKERS, EfsLoad
from headrace.efs_load.loading import LoadResult, PreparedLoad, load, prepare, result_of, run
from headrace.tally import CountsDiffer, Tally

__all__ = [
    "DEFAULT_INSTANCE_TYPE",
    "DEFAULT_WORKERS",
    "CountsDiffer",
    "EfsLoad",
    "LoadResult",
    "PreparedLoad",
    "Tally",
    "load",
    "prepare",
    "result_of",
    "run",
]
