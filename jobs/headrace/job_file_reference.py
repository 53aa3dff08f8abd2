"""docs/job-file.md: every field of a job file with its type, default and meaning, from the model itself."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from headrace import job_file


def render() -> str:
    """The page as Markdown."""
    parts = [
        "# The job file\n",
        "Generated from `headrace.job_file`. An unknown field is an error; all mistakes are reported at once.\n",
        "Exactly one of `job_name` and `base_job_name`; `source_dir` and `entry_point` go together, and exclude "
        "`command`.\n",
        _field_table(job_file.JobFile),
        "\n## A channel\n",
        _field_table(job_file.ChannelModel),
        "\n## A metric definition\n",
        _field_table(job_file.MetricModel),
    ]
    return "\n".join(parts) + "\n"


def _field_table(model: type[BaseModel]) -> str:
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    properties = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _shown_default(field.get_default(call_default_factory=True))
        rows.append(f"| `{name}` | {_shown_type(properties[name])} | {default} | {field.description or ''} |")
    return "\n".join(rows)


def _shown_default(value: Any) -> str:
    if value is None:
        return "none"
    return "empty" if value in ({}, []) else f"`{value}`"


def _shown_type(schema: dict[str, Any]) -> str:
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    kind: str = choices[0].get("type", "text")
    return {"string": "text", "integer": "whole number", "array": "list", "object": "map"}.get(kind, kind)
