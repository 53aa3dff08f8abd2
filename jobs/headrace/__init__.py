"""headrace brings training data to Amazon SageMaker training jobs by the best road.

The house, from the ground up; no module imports one above it:

``roads``                   the table of roads: what each needs, allows and forbids
``figures``                 prices, rates and shapes of instance types, each with source and date
``rules``                   one rule, one function, one id; the same at synth and at launch
``platform``, ``sources``   what was deployed, and where; a data set on each road
``dataset``                 what a data set is, in numbers: counting, sampling, S3 Inventory
``channels``, ``placement`` a source under a name; the zones in which a job reaches all of them
``training``, ``training_request``  a job in records, and its CreateTrainingJob request
``job_file``                a job written as YAML
``advisor``                 pure: which road a data set wants, in seconds and dollars
``planning``                pure: everything that a launch will do, and what the rules say of it
``aws``                     the only room that calls AWS
``preflight``, ``launch``   the live account held against the rules; submit, retry, watch
``profiling``               listing all of a data set, in parallel
``manifests``, ``timeline`` lists of objects for a channel; where a job's time went
``efs_load``, ``preload``   jobs that fill the EFS and load the Lustre
``sagemaker_sdk``           the same job as a ModelTrainer
``ephemeral``               a Lustre file system for one job: what the state machines get, and how they are followed
``cli``                     the same for the command line
``ingest``                  one file for training scripts, which imports nothing of all this
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace import ephemeral
    from headrace.launch import train

__all__ = ["__version__", "ephemeral", "train"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # boto3, pydantic and yaml are imported with the first use, not with the package: synth needs only the rules
    if name == "train":
        from headrace.launch import train

        return train
    if name == "ephemeral":
        return import_module("headrace.ephemeral")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
