"""The platform deployed by the real CDK CLI into the embedded AWS, and jobs launched on it by the command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from headrace.platform import FoundationPart, LustrePart, Platform, parse_platform

from tests.command_line import Run, runner
from tests.conftest import DeployedPlatform

SCRIPT = """
import json, pathlib, sys
words = [path.read_text() for path in sorted(pathlib.Path("/opt/ml/input/data/train").rglob("*.txt"))]
print("words", " ".join(words), "arguments", sys.argv[1:])
print(f"count={len(words)}")
if len(words) != 3:
    pathlib.Path("/opt/ml/output/failure").write_text("expected three words")
    sys.exit(1)
pathlib.Path("/opt/ml/model/words.json").write_text(json.dumps(words))
"""
WORDS = {"data/words/a.txt": "water", "data/words/deep/b.txt": "turns", "data/words/c.txt": "wheels"}


@pytest.fixture
def run(deployed: DeployedPlatform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, with the embedded AWS's environment."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    return runner(monkeypatch, capsys)


@pytest.fixture(scope="module", autouse=True)
def data(deployed: DeployedPlatform) -> None:
    """Three words in three objects, two in another prefix, and an image."""
    s3, bucket = deployed.client("s3"), deployed.foundation.bucket
    for key, text in (WORDS | {"data/two/a.txt": "only", "data/two/b.txt": "two", "data/marker/": ""}).items():
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    deployed.push_image("words:1")


@pytest.fixture
def job_file(tmp_path: Path) -> Callable[..., str]:
    """Writes a job file; keywords change its fields."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "words.py").write_text(SCRIPT)

    def write(**changes: Any) -> str:
        job = {
            "base_job_name": "words",
            "image": "words:1",
            "instance_type": "ml.m5.large",
            "source_dir": "src",
            "entry_point": "words.py",
            "arguments": ["--spaces", "a b", "$HOME"],
            "channels": {"train": {"s3": "data/words/"}},
            "metric_definitions": [{"name": "count", "regex": r"^count=(\d+)"}],
        }
        job |= changes
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump({key: value for key, value in job.items() if value is not None}))
        return str(path)

    return write


def _jobs(deployed: DeployedPlatform) -> set[str]:
    pages = deployed.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}


def _objects(deployed: DeployedPlatform, prefix: str) -> set[str]:
    listed = deployed.client("s3").list_objects_v2(Bucket=deployed.foundation.bucket, Prefix=prefix)
    return {each["Key"] for each in listed.get("Contents", [])}


def test_the_record_names_what_was_deployed(deployed: DeployedPlatform) -> None:
    """Every id in the platform's record is a resource that exists, in the zone that the record says."""
    platform = deployed.platform
    foundation = platform.foundation
    ec2 = deployed.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=[each.subnet_id for each in foundation.subnets])["Subnets"]
    assert {(each["SubnetId"], each["AvailabilityZoneId"]) for each in subnets} == {
        (each.subnet_id, each.az_id) for each in foundation.subnets
    }
    assert {each["VpcId"] for each in subnets} == {foundation.vpc_id}
    ec2.describe_security_groups(GroupIds=[foundation.job_security_group_id])
    deployed.client("s3").head_bucket(Bucket=foundation.bucket)
    for arn in (foundation.roles.s3, foundation.roles.file_systems, foundation.roles.both):
        assert arn is not None
        assert deployed.client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]["Arn"] == arn


def test_the_efs_has_a_mount_target_in_each_zone_of_the_record(deployed: DeployedPlatform) -> None:
    """A job in any of the platform's zones can mount it."""
    efs = deployed.platform.foundation.efs
    assert efs is not None
    targets = deployed.client("efs").describe_mount_targets(FileSystemId=efs.file_system_id)["MountTargets"]
    assert {each["AvailabilityZoneId"] for each in targets} == set(efs.az_ids)


def test_the_lustre_is_the_one_of_its_record(deployed: DeployedPlatform) -> None:
    """Mount name, capacity, zone and link as FSx itself describes them."""
    lustre = deployed.platform.lustre
    assert lustre is not None
    fsx = deployed.client("fsx")
    (described,) = fsx.describe_file_systems(FileSystemIds=[lustre.file_system_id])["FileSystems"]
    assert described["LustreConfiguration"]["MountName"] == lustre.mount_name
    assert described["LustreConfiguration"]["DeploymentType"] == "SCRATCH_2"
    assert described["StorageCapacity"] == lustre.storage_capacity_gib
    assert described["SubnetIds"] == [lustre.subnet_id]
    filters = [{"Name": "file-system-id", "Values": [lustre.file_system_id]}]
    links = fsx.describe_data_repository_associations(Filters=filters)["Associations"]
    assert {(each["FileSystemPath"], each["DataRepositoryPath"].rstrip("/")) for each in links} == {
        (each.path, f"s3://{each.bucket}/{each.prefix}".rstrip("/")) for each in lustre.links
    }


@pytest.mark.parametrize("options", [(), ("--shared-lustre", "0")], ids=["the quickest", "without a shared Lustre"])
def test_what_is_advised_is_trained(
    deployed: DeployedPlatform, run: Run, job_file: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    """From the bucket to the profile, from that to the advice and its job file, and the job reads what was profiled."""
    location = f"s3://{deployed.foundation.bucket}/data/words/"
    profiled = run("profile", location, "--json")
    assert profiled.code == 0, profiled.err
    profile = tmp_path / "profile.json"
    profile.write_text(profiled.out)
    assert json.loads(profiled.out)["files"] == 3
    asked = ("--instance", "ml.m5.large", "--samples-per-second", "100", "--by", "time", *options)
    advised, mine = tmp_path / "advised.yaml", job_file()
    told = run("advise", "--profile", str(profile), *asked, "--write", str(advised), "--like", mine, "--json")
    assert told.code == 0, told.err
    there = run("advise", location, *asked, "--json")
    assert there.code == 0, there.err
    assert json.loads(there.out)["winner"] == json.loads(told.out)["winner"]
    outcome = run("train", str(advised), "--wait", "--json")
    assert outcome.code == 0, outcome.err
    job = json.loads(outcome.out)
    assert job["metrics"] == {"count": 3.0}
    assert json.loads(told.out)["winner"].startswith(job["channels"][0]["road"])


def test_a_job_runs_to_its_end(deployed: DeployedPlatform, run: Run, job_file: Callable[..., str]) -> None:
    """The S3 File road: data, code, arguments, log, metric, model, phases."""
    outcome = run("train", job_file(), "--wait", "--json")
    assert outcome.code == 0, outcome.err
    job = json.loads(outcome.out)
    assert job["status"] == "Completed"
    assert job["metrics"] == {"count": 3.0}
    assert "words water wheels turns arguments ['--spaces', 'a b', '$HOME']" in outcome.err
    assert {phase for phase, seconds in job["phase_seconds"].items() if seconds > 0} >= {"downloading", "training"}
    assert json.loads(run("status", job["name"], "--json").out) == job
    bucket, _, key = job["model_artifact_uri"].removeprefix("s3://").partition("/")
    archive = deployed.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        model = tar.extractfile("words.json")
        assert model is not None
        assert json.load(model) == ["water", "wheels", "turns"]


def test_a_script_that_fails_is_exit_code_1_with_its_own_words(run: Run, job_file: Callable[..., str]) -> None:
    """The failure file's text reaches the person, and no traceback of ours."""
    outcome = run("train", job_file(channels={"train": {"s3": "data/two/"}}), "--wait")
    assert outcome.code == 1
    assert "expected three words" in outcome.err.splitlines()[-1]
    assert "Failed" in outcome.out
    assert "Traceback" not in outcome.err


def test_without_waiting_the_name_is_the_result(
    deployed: DeployedPlatform, run: Run, job_file: Callable[..., str]
) -> None:
    """For scripts: ``name=$(headrace train job.yaml)``."""
    outcome = run("train", job_file())
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip() in _jobs(deployed)


def test_a_dry_run_prints_the_exact_request_and_creates_nothing(
    deployed: DeployedPlatform, run: Run, job_file: Callable[..., str]
) -> None:
    """What --dry-run prints is what CreateTrainingJob gets: the job made of it runs."""
    jobs, code = _jobs(deployed), _objects(deployed, "code/")
    outcome = run("train", job_file(), "--dry-run")
    assert outcome.code == 0, outcome.err
    request = json.loads(outcome.out)
    assert (_jobs(deployed), _objects(deployed, "code/")) == (jobs, code)
    request |= {"TrainingJobName": f"{request['TrainingJobName']}-again"}
    assert deployed.client("sagemaker").create_training_job(**request)["TrainingJobArn"]


ROLE = "arn:aws:iam::111111111111:role/headrace-dev-tpyo"
BAD_INPUT = [
    ({}, ("--platform", "nowhere"), "platform 'nowhere': no record at /headrace/nowhere/foundation; deploy it first"),
    ({"channels": {"train": {"s3": "s3://headrace-no-such-bucket/x/"}}, "role_arn": "platform"}, (), "V19"),
    ({"channels": {"train": {"s3": "s3://headrace-no-such-bucket/x/"}}}, (), "V81"),
    ({"channels": {"train": {"s3": "data/nothing/"}}}, (), "V80"),
    ({"channels": {"train": {"s3": "data/marker/"}}}, (), "V80"),
    ({"role_arn": ROLE}, (), "V82"),
    ({"image": "words:2"}, (), "V83"),
    ({"image": "wrods:1"}, (), "V83"),
    ({"instance_type": "ml.m5.larg"}, (), "V85"),
    ({"base_job_name": None, "job_name": "elsewhere"}, (), "V59"),
    ({"entry_point": "trian.py"}, (), "entry_point is 'trian.py'"),
    ({"chanels": {}}, (), "chanels: unknown field"),
]


@pytest.mark.parametrize(("changes", "options", "expected"), BAD_INPUT)
def test_bad_input_is_one_line_and_exit_code_2_and_creates_nothing(
    deployed: DeployedPlatform,
    run: Run,
    job_file: Callable[..., str],
    changes: dict[str, Any],
    options: tuple[str, ...],
    expected: str,
) -> None:
    """What people get wrong, each with what to do about it."""
    if changes.get("role_arn") == "platform":
        changes = changes | {"role_arn": deployed.foundation.roles.s3}
    jobs, code = _jobs(deployed), _objects(deployed, "code/")
    outcome = run("train", job_file(**changes), *options)
    errors = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert outcome.code == 2, outcome.err
    assert len(errors) == 1, outcome.err
    assert expected in errors[0]
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert (_jobs(deployed), _objects(deployed, "code/")) == (jobs, code)


def test_a_name_in_use_is_refused(deployed: DeployedPlatform, run: Run, job_file: Callable[..., str]) -> None:
    """Names are never free again, and the second job must not overwrite the first one's code."""
    name = f"{deployed.foundation.job_name_prefix}twice"
    first = run("train", job_file(base_job_name=None, job_name=name))
    assert first.code == 0, first.err
    second = run("train", job_file(base_job_name=None, job_name=name))
    assert second.code == 2
    assert "V84" in second.err


def test_several_mistakes_are_told_at_once(run: Run, job_file: Callable[..., str]) -> None:
    """Image, role and data: three lines."""
    outcome = run("train", job_file(image="words:2", role_arn=ROLE, channels={"train": {"s3": "data/nothing/"}}))
    assert outcome.code == 2
    assert [line.split()[1] for line in outcome.err.splitlines() if line.startswith("error: ")] == ["V83", "V82", "V80"]


@pytest.mark.parametrize(
    ("changes", "rule_ids"),
    [
        ({"own_ingestion": {"role": "nix", "dataset": "d"}}, ["V129", "V83"]),
        ({"channels": {"train": {"s3": "ftp://x"}}}, ["V134", "V83"]),
        ({"output": "/x"}, ["V134", "V83"]),
        ({"base_job_name": "a b"}, ["V135", "V83"]),
        ({"command": ["x"]}, ["V136", "V83"]),
    ],
)
def test_a_check_tells_what_cannot_be_made_beside_what_the_account_says(
    run: Run, job_file: Callable[..., str], changes: dict[str, Any], rule_ids: list[str]
) -> None:
    """Findings as JSON and exit code 1, with the image that does not exist among them."""
    outcome = run("check", job_file(image="words:2", **changes), "--json")
    assert outcome.code == 1, outcome.err
    found = [each["rule_id"] for each in json.loads(outcome.out)["findings"] if each["level"] == "ERROR"]
    assert found == rule_ids


def test_a_name_of_a_further_attempt_that_is_taken_is_found_before_the_first(
    deployed: DeployedPlatform, run: Run, job_file: Callable[..., str]
) -> None:
    """Else the run would break off in the middle."""
    name = f"{deployed.foundation.job_name_prefix}attempts"
    first = run("train", job_file(base_job_name=None, job_name=f"{name}-2"))
    assert first.code == 0, first.err
    retry = {"instance_types": ["ml.m5.xlarge", "ml.m5.2xlarge"]}
    outcome = run("check", job_file(base_job_name=None, job_name=name, capacity_retry=retry), "--json")
    told = [(each["rule_id"], each["got"]) for each in json.loads(outcome.out)["findings"] if each["level"] == "ERROR"]
    assert told == [("V84", f"'{name}-2'")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", [["train", "--dry-run"], ["check", "--json"]])
def test_a_full_disk_is_one_line(deployed: DeployedPlatform, job_file: Callable[..., str], command: list[str]) -> None:
    """Of the file that the result goes to; no traceback, also not at the very end."""
    wanted = [sys.executable, "-m", "headrace.cli", *command, job_file()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(wanted, env=dict(deployed.environment), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last == "error: the output cannot be written: No space left on device; fix: write it elsewhere"
    assert "Traceback" not in done.stderr


def test_an_aws_that_does_not_answer_is_one_line(
    run: Run, job_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong endpoint is not the user's traceback to read."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    outcome = run("train", job_file())
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1
    assert "check the network" in outcome.err


def test_python_does_the_same(
    deployed: DeployedPlatform, job_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``headrace.train`` for notebooks."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    from headrace import train

    job = train(job_file())
    assert (job.status, dict(job.metrics)) == ("Completed", {"count": 3.0})


def test_the_installed_command_is_the_same_command(deployed: DeployedPlatform, job_file: Callable[..., str]) -> None:
    """The script on PATH, in a process of its own."""
    command = [str(Path(sys.executable).with_name("headrace")), "train", job_file(), "--dry-run"]
    done = subprocess.run(command, env=dict(deployed.environment), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["InputDataConfig"][0]["ChannelName"] == "train"


def test_both_parts_are_records_of_their_types(deployed: DeployedPlatform) -> None:
    """Read by path, as a job does."""
    pages = deployed.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/headrace/dev/")
    parameters = {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}
    platform: Platform = parse_platform("dev", parameters)
    assert isinstance(platform.foundation, FoundationPart)
    assert isinstance(platform.lustre, LustrePart)
