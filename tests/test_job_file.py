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


AS_WRITTEN = ["20", "0.5", "1.10", "0777", "true", "yes", "1:30", ".nan", "1e3", "2024-13-45", "x"]


def test_values_reach_the_script_as_they_were_written(folder: Path) -> None:
    """Plain YAML makes 511 of 0777, 1.1 of 1.10, 90 of 1:30 and true of yes."""
    lines = "".join(f"  h{index}: {value}\n" for index, value in enumerate(AS_WRITTEN))
    job = job_file.to_training_job(_load(folder, GOOD + "hyperparameters:\n" + lines), FOUNDATION, NOW)
    assert list(job.hyperparameters.values()) == AS_WRITTEN


def test_numbers_of_a_job_made_in_python_become_text() -> None:
    """SageMaker's maps hold strings only."""
    job = job_file.JobFile(
        base_job_name="x",
        image="x:1",
        instance_type="ml.m5.large",
        channels={"train": {"s3": "data/x/"}},
        hyperparameters={"epochs": 20, "shuffle": True},
    )
    assert job.hyperparameters == {"epochs": "20", "shuffle": "true"}


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
    (GOOD + "instance_count: 0\n", ["instance_count is '0'"]),
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
    (GOOD + "tags: {'headrace:platform': x}\n", ["tags is", "headrace:platform: tags that begin with"]),
    (GOOD + "tags: {d: !!int xx}\n", ["not YAML"]),
    (GOOD + "tags: {? [a] : b}\n", ["a field's name is one word"]),
    (GOOD + "tags: !!map [a, b]\n", ["not YAML"]),
    ("[" * 5000, ["not YAML"]),
    (GOOD + 'source_dir: src\nentry_point: "a\\0b"\n', ["a script inside source_dir"]),
    (GOOD + "  val: {s3: 's3://Bad_Bucket!!/x/'}\n", ["channels.val: S3 location", "3 to 63 lower-case letters"]),
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
