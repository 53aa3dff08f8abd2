"""docs/job-file.md: every field of a job file with its type, default and meaning, from the model itself.

``python -m headrace.job_file.reference`` prints the page.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel

from headrace.job_file import model
from headrace.roads import ROADS

_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("A channel", model.ChannelModel),
    ("own_ingestion", model.OwnIngestionModel),
    ("An instance group", model.InstanceGroupModel),
    ("spot", model.SpotModel),
    ("checkpoints", model.CheckpointsModel),
    ("capacity_retry", model.CapacityRetryModel),
    ("ephemeral", model.EphemeralModel),
    ("A metric definition", model.MetricModel),
)


def render() -> str:
    """The page as Markdown."""
    parts = [
        "# The job file\n",
        "Made by `python -m headrace.job_file.reference`. An unknown field is an error; all mistakes are reported at "
        "once.\n",
        "Exactly one of `job_name` and `base_job_name`; either `instance_type` or `instance_groups`; `source_dir` and "
        "`entry_point` go together, and exclude `command`.\n",
        _field_table(model.JobFile),
    ]
    for title, record in _PARTS:
        parts += [f"\n## {title}\n", _field_table(record)]
    parts += ["\n## Roads\n", _road_table()]
    return "\n".join(parts) + "\n"


def _road_table() -> str:
    rows = ["| road | source | input_mode | data_type | also |", "|---|---|---|---|---|"]
    for road in ROADS:
        options = ", ".join(f"`{each}`" for each in sorted(road.options - {"data_type"}))
        data_types = ", ".join(road.data_types) or "none"
        rows.append(f"| {road.name} | `{road.place}` | {road.input_mode} | {data_types} | {options} |")
    return "\n".join(rows)


def _field_table(record: type[BaseModel]) -> str:
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    schema = record.model_json_schema()
    for name, field in record.model_fields.items():
        default = "required" if field.is_required() else _shown_default(field.get_default(call_default_factory=True))
        kind = _shown_type(schema["properties"][name], schema.get("$defs", {}))
        rows.append(f"| `{name}` | {kind} | {default} | {field.description or ''} |")
    return "\n".join(rows)


def _shown_default(value: Any) -> str:
    if value is None or isinstance(value, BaseModel):
        return "none"
    return "empty" if value in ({}, []) else f"`{value}`"


def _shown_type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    chosen = definitions.get(choices[0].get("$ref", "").rsplit("/", 1)[-1], choices[0])
    if "enum" in chosen:
        return " or ".join(chosen["enum"])
    kind: str = chosen.get("type", "text")
    return {"string": "text", "integer": "whole number", "boolean": "yes or no", "array": "list", "object": "map"}.get(
        kind, kind
    )


if __name__ == "__main__":
    sys.stdout.write(render())
