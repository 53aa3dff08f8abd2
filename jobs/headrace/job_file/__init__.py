"""A training job as a YAML file: ``model`` says what may stand in it, ``reading`` reads it, ``conversion`` makes the
job of it. All mistakes of a file are reported together, each with its place in the file."""

from headrace.job_file.conversion import to_training_job
from headrace.job_file.model import JobFile
from headrace.job_file.reading import load

__all__ = ["JobFile", "load", "to_training_job"]
