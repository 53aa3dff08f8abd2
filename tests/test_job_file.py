"""A job as YAML."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from headrace import job_file
from headrace.errors import InvalidInput
from headrace.job_file import reference
from headrace.job_file.model import ChannelModel
from headrace.planning import plan
from headrace.roads import OPTIONS, ROADS
from headrace.rules import Level
from headrace.training import TrainingJob
from headrace.training_request import build_request

from tests.test_training import PLATFORM, S3_PLATFORM

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
        plan(_load(folder, text), S3_PLATFORM, now=NOW)
    return list(caught.value.problems)


def _job(folder: Path, text: str) -> TrainingJob:
    return job_file.to_training_job(_load(folder, text), S3_PLATFORM, NOW)[0]


def test_the_example_of_the_readme_is_a_good_job_file() -> None:
    """What people copy first has to work."""
    path = Path(__file__).parent.parent / "examples" / "digits" / "job.yaml"
    job, findings = job_file.to_training_job(job_file.load(path), S3_PLATFORM, NOW)
    assert findings == []
    (channel,) = build_request(job, S3_PLATFORM)["InputDataConfig"][:-1]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://lake/data/digits/"


def test_a_base_name_is_completed_with_prefix_and_time(folder: Path) -> None:
    """Unique, and within what the platform's roles trust."""
    job = _job(folder, GOOD)
    assert job.name == "headrace-dev-digits-20260102-030405-678"


def test_an_exact_name_is_kept(folder: Path) -> None:
    """For those who name jobs themselves."""
    job = _job(folder, GOOD.replace("base_job_name", "job_name"))
    assert job.name == "digits"


AS_WRITTEN = ["20", "0.5", "1.10", "0777", "true", "yes", "1:30", ".nan", "1e3", "2024-13-45", "x"]


def test_values_reach_the_script_as_they_were_written(folder: Path) -> None:
    """Plain YAML makes 511 of 0777, 1.1 of 1.10, 90 of 1:30 and true of yes."""
    lines = "".join(f"  h{index}: {value}\n" for index, value in enumerate(AS_WRITTEN))
    job = _job(folder, GOOD + "hyperparameters:\n" + lines)
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
    ("image: x\n", ["V135 ERROR: job_name is not given; allowed: exactly one of job_name and base_job_name"]),
    (GOOD + "instance_typ: x\n", ["instance_typ: unknown field; allowed: image, instance_type"]),
    (GOOD + "instance_count: 0\n", ["instance_count is '0'"]),
    (GOOD + "instance_count: many\n", ["instance_count is 'many'"]),
    (GOOD + "source_dir: src\n", ["V136 ERROR: source_dir is", "source_dir and entry_point go together"]),
    (GOOD + "entry_point: train.py\n", ["V136 ERROR: entry_point is 'train.py'", "fix: give source_dir, too"]),
    (GOOD + "dependencies: [src]\n", ["V136 ERROR: dependencies is", "fix: give source_dir and entry_point, too"]),
    (GOOD + "source_dir: nowhere\nentry_point: train.py\n", ["V137 ERROR: source_dir is", "an existing folder"]),
    (GOOD + "source_dir: src\nentry_point: trian.py\n", ["entry_point is 'trian.py'"]),
    (GOOD + "job_name: exact\n", ["exactly one of job_name and base_job_name"]),
    (GOOD.replace("base_job_name: digits", ""), ["exactly one of job_name and base_job_name"]),
    (
        GOOD + "source_dir: src\nentry_point: train.py\ncommand: [x]\n",
        ["command and entry_point exclude each other"],
    ),
    (
        GOOD + "  code: {s3: data/x/}\nsource_dir: src\nentry_point: train.py\n",
        ["V115 ERROR: channels.code is '2 channels'", "fix: name yours otherwise: source_dir travels in this one"],
    ),
    (GOOD + "  val: {s3: data/x/, input_mode: Fast}\n", ["channels.val.input_mode is 'Fast'", "'FastFile' or 'Pipe'"]),
    (GOOD + "  val: {s3: data/x/, mode: File}\n", ["channels.val.mode: unknown field; allowed: s3, lustre, efs"]),
    (GOOD + "  val: {s3: data/x/, shuffle_seed: -1}\n", ["channels.val.shuffle_seed is '-1'"]),
    (GOOD + "spot: {wait: 1}\n", ["spot.max_wait_seconds: Field required", "spot.wait: unknown field; allowed: max"]),
    (GOOD + "instance_groups: {cpu: {instance_type: ml.m5.large, instance_count: 0}}\n", ["instance_groups.cpu.inst"]),
    (GOOD + "own_ingestion: {role: warehouse, dataset: ''}\n", ["own_ingestion.dataset is ''"]),
    (
        GOOD + "checkpoints: {s3: 'ftp://x'}\noutput: /x\n",
        ["V134 ERROR: checkpoints.s3 is 'ftp://x'", "output is '/x'"],
    ),
    (
        GOOD + "  val: {s3: 'https://x/y'}\n  test: {s3: /x}\n",
        ["channels.val.s3 is 'https://x/y'; allowed: s3://bucket/prefix", "channels.test.s3 is '/x'"],
    ),
    (GOOD.replace("image: digits:1\n", ""), ["image: Field required"]),
    (
        GOOD + "tags: {'headrace:platform': x}\n",
        ["V138 ERROR: tags is ['headrace:platform']; allowed: tags that begin with"],
    ),
    (GOOD + "tags: {d: !!int xx}\n", ["not YAML"]),
    (GOOD + "tags: {? [a] : b}\n", ["a field's name is one word"]),
    (GOOD + "tags: !!map [a, b]\n", ["not YAML"]),
    ("[" * 1500, ["not YAML"]),
    (GOOD + 'source_dir: src\nentry_point: "a\\0b"\n', ["a script inside source_dir"]),
    (GOOD + "  val: {s3: 's3://Bad_Bucket!!/x/'}\n", ["channels.val.s3 is 's3://Bad", "3 to 63 lower-case letters"]),
    (
        GOOD + f"source_dir: {'a' * 10_000}\nentry_point: train.py\n",
        ["V137", "code that can be read; here: File name too"],
    ),
    (GOOD + f"source_dir: src\nentry_point: {'a' * 10_000}\n", ["V137", "code that can be read; here: File name too"]),
    (
        GOOD + 'source_dir: src\nentry_point: train.py\ndependencies: ["a\\0b", /]\n',
        [r"dependencies is", "with a name"],
    ),
    (GOOD + "source_dir: src\nentry_point: ../../x.py\n", ["entry_point is '../../x.py'", "a script inside"]),
    (GOOD + 'tags: {"headrace:\\n": x}\n', ["tags that begin with neither headrace: nor aws:, which are set for you"]),
    (GOOD + f"metric_definitions: [{{name: a, regex: '{'(' * 1500}'}}]\n", ["a regular expression; this is none"]),
    (GOOD + "metric_definitions: [{name: a, regex: '(a{99999999999})'}]\n", ["a regular expression; this is none"]),
    (GOOD + 'hyperparameters: {"a\\x1b[31m\\r\\n": []}\n', [r"hyperparameters.'a\x1b[31m\r\n' is []"]),
    (GOOD + f"in_vpc: {'é' * 10_000}\n", ["in_vpc is 'ééé"]),
    (GOOD + "image: other:2\n", ["field 'image' twice"]),
    (GOOD + "  train: {s3: data/x/}\n", ["field 'train' twice"]),
    (
        GOOD + "metric_definitions: [{name: a, regex: '('}]\n",
        ["V139 ERROR: metric_definitions.0.regex is '('", "this is none"],
    ),
    (GOOD + "metric_definitions: [{name: a, regex: 'a=.*'}]\n", ["has no group; fix: put the number in parentheses"]),
    (GOOD.replace("digits\n", "d" * 60 + "\n", 1), ["V135 ERROR: base_job_name is", "allowed: up to 30 characters"]),
    (GOOD.replace("digits\n", "a b\n", 1), ["V135 ERROR: base_job_name is 'a b'", "letters, digits and hyphens"]),
    *(
        (
            GOOD + f"ephemeral: {{lifetime_hours: {hours}}}\n",
            [f"ephemeral.lifetime_hours is '{hours}': Input should be"],
        )
        for hours in ("inf", "Infinity", "-inf", "nan", "1e400", "1e300", "0", "169")
    ),
    (GOOD + "ephemeral: {preload_image: ''}\n", ["ephemeral.preload_image is ''"]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_each_mistake_is_named_with_its_place(folder: Path, text: str, expected: list[str]) -> None:
    """All mistakes of a file at once, one line each."""
    problems = _problems(folder, text)
    assert all(len(problem.splitlines()) == 1 and len(problem) < 1000 for problem in problems)
    assert all(any(part in problem for problem in problems) for part in expected), problems


def test_a_mistake_of_a_rule_stands_beside_those_of_the_file(folder: Path) -> None:
    """A location that is none, and a channel on no road: both are told at once."""
    problems = _problems(folder, GOOD + "  val: {efs: /x, input_mode: Pipe}\noutput: /x\n")
    assert [each.split()[0] for each in problems] == ["V108", "V125", "V134"]


def test_a_channel_that_breaks_a_rule_is_left_out_and_the_rest_looked_at(folder: Path) -> None:
    """So that one wrong channel does not hide what is wrong elsewhere."""
    text = GOOD + "  val: {s3: data/x/, compression: Gzip}\n  test: {lustre: nix}\n"
    job, findings = job_file.to_training_job(_load(folder, text), S3_PLATFORM, NOW)
    assert [each.name for each in job.channels] == ["train"]
    assert [(each.rule_id, each.field, each.level) for each in findings] == [
        ("V110", "channels.val.compression", Level.ERROR),
        ("V124", "channels.test.lustre", Level.ERROR),
    ]


EVERYTHING = """
job_name: headrace-dev-digits
image: digits:1
instance_groups:
  gpu: {instance_type: ml.g5.xlarge, instance_count: 2}
  cpu: {instance_type: ml.c5.xlarge}
source_dir: src
entry_point: train.py
arguments: [--fast, 1.10]
channels:
  file: {s3: data/a/, instance_groups: [gpu], shuffle_seed: 7, content_type: image/png}
  fast: {s3: "s3://lake/data/b/", input_mode: FastFile, distribution: ShardedByS3Key}
  pipe:
    {s3: data/c.manifest, input_mode: Pipe, data_type: AugmentedManifestFile, attribute_names: [source-ref, label],
     record_wrapper: RecordIO, compression: Gzip}
  lustre: {lustre: data, path: digits/train, access: rw}
  efs: {efs: /digits, access: ro}
volume_size_gb: 50
output: output/digits/
output_kms_key: alias/output
max_runtime_seconds: 3600
max_pending_seconds: 7200
spot: {max_wait_seconds: 7200}
checkpoints: {}
capacity_retry: {availability_zone_ids: [euw1-az1]}
internal_error_retries: 3
availability_zone_ids: [euw1-az1]
in_vpc: true
network_isolation: yes
encrypt_between_instances: "on"
hyperparameters: {rate: 0.10}
environment: {A: b}
metric_definitions: [{name: accuracy, regex: "accuracy=([0-9.]+)"}]
tags: {team: vision}
"""


def test_everything_that_a_file_can_say_reaches_the_request(folder: Path) -> None:
    """A field that is read and then lost would be silence where somebody asked for something."""
    job, findings = job_file.to_training_job(_load(folder, EVERYTHING), PLATFORM, NOW)
    assert [each for each in findings if each.level is Level.ERROR] == []
    request = build_request(job, PLATFORM, PLATFORM.foundation.subnets[:1])
    channels = {each["ChannelName"]: each for each in request["InputDataConfig"]}
    assert list(channels) == ["file", "fast", "pipe", "lustre", "efs", "code"]
    assert channels["fast"]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert channels["file"]["DataSource"]["S3DataSource"]["InstanceGroupNames"] == ["gpu"]
    assert (channels["pipe"]["CompressionType"], channels["pipe"]["RecordWrapperType"]) == ("Gzip", "RecordIO")
    assert channels["lustre"]["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/abcd1234/data/digits/train"
    assert channels["efs"]["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/digits"
    assert request["AlgorithmSpecification"]["ContainerArguments"] == ["--fast", "1.10"]
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://lake/output/digits", "KmsKeyId": "alias/output"}
    assert request["CheckpointConfig"]["S3Uri"] == "s3://lake/checkpoints/headrace-dev-digits"
    assert [each["InstanceCount"] for each in request["ResourceConfig"]["InstanceGroups"]] == [2, 1]
    assert request["EnableNetworkIsolation"] is request["EnableInterContainerTrafficEncryption"] is True
    assert (request["HyperParameters"], request["Environment"]) == ({"rate": "0.10"}, {"A": "b"})
    assert (job.availability_zone_ids, job.capacity_retry.availability_zone_ids) == (("euw1-az1",),) * 2


def test_no_field_of_a_file_is_lost_on_the_way_to_the_job() -> None:
    """Each field of the model is one of the record, or becomes one; each option of a road is a field of a channel.

    ``ephemeral`` is no part of the job: it is what ``train --ephemeral`` makes for it.
    """
    lost = set(job_file.JobFile.model_fields) - {each.name for each in fields(TrainingJob)}
    assert lost == {"job_name", "base_job_name", "ephemeral"}
    assert set(ChannelModel.model_fields) == OPTIONS | {"s3", "lustre", "efs", "input_mode"}
    assert all(road.options <= OPTIONS for road in ROADS)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """The commonest typo."""
    with pytest.raises(InvalidInput, match="no such file"):
        job_file.load(tmp_path / "job.yml")


def test_yaml_builds_no_objects(folder: Path) -> None:
    """A job file comes from a repository that somebody else may write to."""
    with pytest.raises(InvalidInput, match="not YAML"):
        _load(folder, "image: !!python/object/apply:os.system ['true']\n")


def test_the_documented_fields_are_the_fields() -> None:
    """docs/job-file.md is what ``python -m headrace.job_file.reference`` prints."""
    documented = Path(__file__).parent.parent / "docs" / "job-file.md"
    assert documented.read_text(encoding="utf-8") == reference.render()
    assert all(f"| `{name}` |" in reference.render() for name in job_file.JobFile.model_fields)
