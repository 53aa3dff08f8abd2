"""headrace brings training data to Amazon SageMaker training jobs by the best road.

The house, from the ground up; no module imports one above it:

``rules``                   one rule, one function, one id; the same at synth and at launch
``sources``, ``platform``   what a data set is and where it lies; what was deployed, and where
``channels``, ``training``  pure: a source -> a channel -> a CreateTrainingJob request
``job_file``                a job written as YAML
``aws``                     the only module that calls AWS
``launch``                  plan, check, submit, watch
``cli``                     the same for the command line
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.launch import train

__all__ = ["__version__", "train"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # boto3, pydantic and yaml are imported with the first use, not with the package: synth needs only the rules
    if name == "train":
        from headrace.launch import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
