"""A job file, read: YAML as it was written, and every mistake with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from headrace.errors import InvalidInput
from headrace.job_file import model
from headrace.job_file.model import JobFile
from headrace.rules.values import shown

_SHOWN_CHARACTERS = 80
_PYDANTICS = re.compile(r"(Input should be|[A-Z][a-z]+ should have) ")
_KINDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list: each on a line of its own, after a hyphen",
}
# how pydantic calls it when there is no block where one belongs
_BLOCK_ERRORS = ("model_type", "model_attributes_type", "dict_type")
_BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
_MODELS: Mapping[str, type[model.Strict]] = {
    "channels": model.ChannelModel,
    "metric_definitions": model.MetricModel,
    "instance_groups": model.InstanceGroupModel,
    "spot": model.SpotModel,
    "checkpoints": model.CheckpointsModel,
    "capacity_retry": model.CapacityRetryModel,
    "ephemeral": model.EphemeralModel,
    "own_ingestion": model.OwnIngestionModel,
}
"""Field of a job file -> what stands in it."""


class _AsWritten(yaml.SafeLoader):
    """YAML in which every value is the text that was written, and a field stands once.

    Plain YAML reads 0777 as 511, 1.10 as 1.1, 1:30 as 90 and yes as true, and takes the last of two fields, all in
    silence; hyperparameters are text to SageMaker, and the model below knows which fields are numbers.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        # an explicit tag (!!map [a]) hands other kinds of nodes over
        for key, _ in node.value if node.id == "mapping" else ():
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a field's name is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"field {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> JobFile:
    """Read and check a job file; ``source_dir`` is taken relative to the file.

    Raises InvalidInput with one line per mistake.
    """
    try:
        plain = yaml.load(path.read_text(encoding="utf-8"), _AsWritten)  # noqa: S506  (a SafeLoader)
    except FileNotFoundError:
        raise InvalidInput(f"{path}: no such file; give the path of a job file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from None
    # an explicit tag (!!int x) and nesting without end come out of the parser as errors of Python
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise InvalidInput(f"{path}: a job file is a mapping of fields to values, with at least image and channels")
    try:
        return _with_code(JobFile.model_validate(plain), path)
    except ValidationError as error:
        raise InvalidInput(*(f"{path}: {line}" for line in _lines(error))) from None


def _with_code(job: JobFile, path: Path) -> JobFile:
    source_dir = None if job.source_dir is None else path.parent / job.source_dir
    dependencies = [path.parent / each for each in job.dependencies]
    return job.model_copy(update={"source_dir": source_dir, "dependencies": dependencies})


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for each in error.errors():
        place = ".".join(map(_shown_part, each["loc"]))
        got = f" is {shown(each['input'])}" if place and each["type"] not in ("missing", "extra_forbidden") else ""
        message = " ".join(each["msg"].removeprefix("Value error, ").split())
        if each["type"] in _BLOCK_ERRORS:
            # what is a map of names has names of the user's own
            record = _MODELS.get(str(each["loc"][0])) if each["loc"] and each["type"] != "dict_type" else None
            names = f": {', '.join(record.model_fields)}" if record is not None else ""
            message = f"allowed: fields with values{names}; fix: name: value, each on a line of its own below it"
        elif _PYDANTICS.match(message):
            message = f"allowed: {_allowed(each, message)}; fix: correct it, or leave it out"
        if each["type"] == "extra_forbidden":
            record = _MODELS.get(str(each["loc"][0]), JobFile) if len(each["loc"]) > 1 else JobFile
            message = f"unknown field; allowed: {', '.join(record.model_fields)}"
        colon = "; " if got and message.startswith("allowed: ") else ": "
        lines.append(f"{place}{got}{colon}{message}" if place else message)
    return lines


def _allowed(each: Mapping[str, Any], message: str) -> str:
    if each["type"] in _KINDS:
        return _KINDS[each["type"]]
    bounds = each.get("ctx", {})
    for name, words in _BOUNDS.items():
        if name in bounds:
            return f"{words} {bounds[name]:g}"
    return _PYDANTICS.sub("", message, count=1)


def _shown_part(part: int | str) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= _SHOWN_CHARACTERS else shown(part)
