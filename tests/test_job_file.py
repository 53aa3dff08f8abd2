"""A job as YAML."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from headrace import job_file, job_file_reference
from headrace.errors import InvalidInput

from tests.test_training import FOUNDATION

GOOD = """
base_job_name: digits
image: digits:1
instance_type: ml.m5.large
channels:
  train: {s3: data/digits/}
"""
NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a script."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    return tmp_path


def _load(folder: Path, text: str) -> job_file.JobFile:
    path = folder / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return job_file.load(path)


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        job_file.to_training_job(_load(folder, text), FOUNDATION, NOW)
    return list(caught.value.problems)


def test_the_example_of_the_readme_is_a_good_job_file() -> None:
    """What people copy first has to work."""
    path = Path(__file__).parent.parent / "examples" / "digits" / "job.yaml"
    job = job_file.to_training_job(job_file.load(path), FOUNDATION, NOW)
    assert job.channels[0].source.location.uri == "s3://lake/data/digits/"


def test_a_base_name_is_completed_with_prefix_and_time(folder: Path) -> None:
    """Unique, and within what the platform's roles trust."""
    job = job_file.to_training_job(_load(folder, GOOD), FOUNDATION, NOW)
    assert job.name == "headrace-dev-digits-20260102-030405-678"


def test_an_exact_name_is_kept(folder: Path) -> None:
    """For those who name jobs themselves."""
    job = job_file.to_training_job(_load(folder, GOOD.replace("base_job_name", "job_name")), FOUNDATION, NOW)
    assert job.name == "digits"


def test_numbers_and_truths_become_text(folder: Path) -> None:
    """SageMaker's maps hold strings only."""
    text = GOOD + "hyperparameters: {epochs: 20, rate: 0.5, shuffle: true, name: x}\n"
    job = job_file.to_training_job(_load(folder, text), FOUNDATION, NOW)
    assert job.hyperparameters == {"epochs": "20", "rate": "0.5", "shuffle": "true", "name": "x"}


def test_source_dir_is_relative_to_the_file(folder: Path) -> None:
    """The folder in which somebody stands does not matter."""
    job = _load(folder, GOOD + "source_dir: src\nentry_point: train.py\n")
    assert job.source_dir == folder / "src"


WRONG = [
    ("", ["a job file is a mapping"]),
    ("- a\n- b\n", ["a job file is a mapping"]),
    ("{", ["not YAML"]),
    ("image: x\n", ["instance_type: Field required", "channels: Field required"]),
    (GOOD + "instance_typ: x\n", ["instance_typ: unknown field; allowed: image, instance_type"]),
    (GOOD + "instance_count: 0\n", ["instance_count is 0"]),
    (GOOD + "instance_count: many\n", ["instance_count is 'many'"]),
    (GOOD + "source_dir: src\n", ["source_dir and entry_point go together"]),
    (GOOD + "source_dir: nowhere\nentry_point: train.py\n", ["source_dir is", "an existing folder"]),
    (GOOD + "source_dir: src\nentry_point: trian.py\n", ["entry_point is 'trian.py'"]),
    (GOOD + "job_name: exact\n", ["exactly one of job_name and base_job_name"]),
    (GOOD.replace("base_job_name: digits", ""), ["exactly one of job_name and base_job_name"]),
    (
        GOOD + "source_dir: src\nentry_point: train.py\ncommand: [x]\n",
        ["command and entry_point exclude each other"],
    ),
    (GOOD + "  code: {s3: data/x/}\nsource_dir: src\nentry_point: train.py\n", ["channel 'code' is where source_dir"]),
    (GOOD + "  val: {s3: data/x/, input_mode: FastFile}\n", ["channels.val.input_mode is 'FastFile'"]),
    (GOOD + "  val: {s3: data/x/, mode: File}\n", ["channels.val.mode: unknown field; allowed: s3, input_mode"]),
    (
        GOOD + "  val: {s3: 'https://x/y'}\n  test: {s3: /x}\n",
        ["channels.val: S3 location", "channels.test: S3 location"],
    ),
    (GOOD.replace("\n  train: {s3: data/digits/}", " {}"), ["channels is {}"]),
    (GOOD + "image: other:2\n", ["field 'image' twice"]),
    (GOOD + "  train: {s3: data/x/}\n", ["field 'train' twice"]),
    (GOOD + "metric_definitions: [{name: a, regex: '('}]\n", ["metric_definitions.0.regex is '('", "not a regular"]),
    (GOOD + "metric_definitions: [{name: a, regex: 'a=.*'}]\n", ["has no group; put the number in parentheses"]),
    (GOOD.replace("digits\n", "d" * 60 + "\n", 1), ["base_job_name is", "allowed: up to 30 characters"]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_each_mistake_is_named_with_its_place(folder: Path, text: str, expected: list[str]) -> None:
    """All mistakes of a file at once, one line each."""
    problems = _problems(folder, text)
    assert all(len(problem.splitlines()) == 1 for problem in problems)
    assert all(any(part in problem for problem in problems) for part in expected), problems


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """The commonest typo."""
    with pytest.raises(InvalidInput, match="no such file"):
        job_file.load(tmp_path / "job.yml")


def test_yaml_builds_no_objects(folder: Path) -> None:
    """A job file comes from a repository that somebody else may write to."""
    with pytest.raises(InvalidInput, match="not YAML"):
        _load(folder, "image: !!python/object/apply:os.system ['true']\n")


def test_the_documented_fields_are_the_fields() -> None:
    """docs/job-file.md is what ``job_file_reference.render()`` gives."""
    documented = Path(__file__).parent.parent / "docs" / "job-file.md"
    assert documented.read_text(encoding="utf-8") == job_file_reference.render()
    assert all(f"| `{name}` |" in job_file_reference.render() for name in job_file.JobFile.model_fields)
