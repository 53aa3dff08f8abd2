"""The adapter for the SageMaker Python SDK: what its trainer sends, and real training through it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import enumerate as running_threads
from typing import Any

import boto3
import pytest
import yaml
from botocore.session import get_session
from headrace.aws import Aws
from headrace.channels import Channel
from headrace.errors import HeadraceError, InvalidInput
from headrace.job_file import JobFile
from headrace.planning import plan
from headrace.platform import DataLocation, Efs, FoundationPart, LustreLink, LustrePart, Platform, Roles, Subnet
from headrace.roads import Compression, Distribution, RecordWrapper
from headrace.sagemaker_sdk import HeadraceTrainer, model_trainer, platform_session
from headrace.sagemaker_sdk.building import trainer_of
from headrace.sagemaker_sdk.session import ROLE_VALIDATION_VARIABLE, role_judged_by_headrace, telemetry_choice
from headrace.sagemaker_sdk.translation import in_snake_case, to_trainer_fields
from headrace.sources import EfsSource, LustreSource, S3FastFileSource, S3FileSource, S3Location, S3PipeSource
from headrace.training import Checkpoints, InstanceGroup, MetricDefinition, Spot, TrainingJob
from headrace.training_request import build_request
from headrace_local.process import Running
from sagemaker.core import shapes
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import InputData, SourceCode
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.core.utils.utils import serialize
from sagemaker.train import ModelTrainer

from tests.conftest import DeployedPlatform

ROLE = "arn:aws:iam::123456789012:role/headrace-dev"
PLATFORM = Platform(
    foundation=FoundationPart(
        platform="dev",
        region="us-east-1",
        account="123456789012",
        vpc_id="vpc-1",
        subnets=(Subnet(subnet_id="subnet-1", az_id="use1-az1"), Subnet(subnet_id="subnet-2", az_id="use1-az2")),
        job_security_group_id="sg-1",
        bucket="lake",
        data_locations=(DataLocation(bucket="lake", prefix="data/"),),
        roles=Roles(s3=f"{ROLE}-s3", file_systems=f"{ROLE}-file-systems", both=f"{ROLE}-both"),
        job_name_prefix="headrace-dev-",
        kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        efs=Efs(file_system_id="fs-0123456789abcdef0", az_ids=("use1-az1", "use1-az2")),
    ),
    lustre=LustrePart(
        platform="dev",
        file_system_id="fs-0fedcba9876543210",
        mount_name="abcdefgh",
        subnet_id="subnet-1",
        az_id="use1-az1",
        storage_capacity_gib=1200,
        links=(LustreLink(name="images", path="/images", bucket="lake", prefix="data/images/"),),
    ),
)
DATA = S3Location(bucket="lake", prefix="data/digits/")
JOB = TrainingJob(
    name="headrace-dev-digits",
    image="digits:1",
    instance_type="ml.m5.large",
    channels=(Channel(name="train", source=S3FileSource(location=DATA)),),
    command=("python3", "-m", "digits"),
    arguments=("--epochs", "a b"),
)
JOBS = {
    "a command": JOB,
    "the image's own entry point": replace(JOB, command=None, arguments=()),
    "the S3 roads": replace(
        JOB,
        channels=(
            Channel(name="file", source=S3FileSource(location=DATA, distribution=Distribution.SHARDED_BY_S3_KEY)),
            Channel(name="fast", source=S3FastFileSource(location=DATA, content_type="image/png")),
            Channel(
                name="pipe",
                source=S3PipeSource(
                    location=DATA,
                    shuffle_seed=1,
                    compression=Compression.GZIP,
                    record_wrapper=RecordWrapper.RECORD_IO,
                ),
            ),
        ),
        instance_count=2,
    ),
    "the file systems": replace(
        JOB,
        channels=(
            Channel(name="lustre", source=LustreSource(link="images", path="train")),
            Channel(name="efs", source=EfsSource(path="/labels")),
        ),
    ),
    "Spot with checkpoints": replace(
        JOB,
        spot=Spot(max_wait_seconds=7200),
        max_runtime_seconds=3600,
        checkpoints=Checkpoints(location=S3Location(bucket="lake", prefix="checkpoints/digits/")),
        internal_error_retries=2,
    ),
    "a warm pool, isolated and encrypted": replace(
        JOB,
        keep_alive_seconds=600,
        in_vpc=True,
        network_isolation=True,
        encrypt_between_instances=True,
        instance_count=2,
        volume_kms_key="arn:aws:kms:us-east-1:123456789012:key/99999999-2222-3333-4444-555555555555",
    ),
    "instance groups": replace(
        JOB,
        instance_type=None,
        instance_groups=(
            InstanceGroup(name="cpu", instance_type="ml.c5.xlarge", instance_count=2),
            InstanceGroup(name="gpu", instance_type="ml.g5.xlarge"),
        ),
        channels=(Channel(name="train", source=S3FileSource(location=DATA, instance_groups=("cpu",))),),
    ),
    "what the script sees": replace(
        JOB,
        hyperparameters={"Epochs": "5", "S3Uri": "0.10", "flag": "true"},
        environment={"OMP_NUM_THREADS": "2", "DataPath": "x"},
        metric_definitions=(MetricDefinition(name="loss", regex="loss=([0-9.]+)"),),
        tags={"CostCenter": "17"},
    ),
}
# structures of the request, and the SDK's shapes of the same names, by the member that holds them
STRUCTURES = [
    *("AlgorithmSpecification", "OutputDataConfig", "CheckpointConfig", "StoppingCondition", "RetryStrategy"),
    *("ResourceConfig", "VpcConfig", "InstanceGroup", "MetricDefinition", "Tag"),
    *("Channel", "DataSource", "S3DataSource", "FileSystemDataSource", "ShuffleConfig"),
]
SCRIPT = """
import pathlib, sys
words = [path.read_text() for path in sorted(pathlib.Path("/opt/ml/input/data/train").rglob("*.txt"))]
print("words", " ".join(words), sys.argv[1:])
print(f"count={len(words)}")
pathlib.Path("/opt/ml/model/words.txt").write_text(" ".join(words))
sys.exit(sys.argv[1:] == ["fail"])
"""


TrainerFor = Callable[[TrainingJob], HeadraceTrainer]
Configure = Callable[[Mapping[str, Any]], None]


@pytest.fixture(autouse=True)
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the SDK would have asked of its telemetry bucket: nothing of it leaves this machine."""
    asked: list[str] = []
    monkeypatch.setattr("sagemaker.core.telemetry.telemetry_logging.requests.get", lambda url, **_: asked.append(url))
    yield asked
    _await_telemetry()


def _await_telemetry() -> None:
    for thread in [each for each in running_threads() if each.name == "sagemaker-telemetry"]:
        thread.join()


@pytest.fixture(autouse=True)
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """The SDK's configuration file of this test, which says nothing; calling it writes another."""
    path = tmp_path / "sagemaker.yaml"

    def write(configuration: Mapping[str, Any]) -> None:
        path.write_text(yaml.safe_dump({"SchemaVersion": "1.0", "SageMaker": dict(configuration)}))

    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(path))
    monkeypatch.setenv("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", str(path))
    monkeypatch.delenv(ROLE_VALIDATION_VARIABLE, raising=False)
    write({})
    return write


def _telemetry(*, opt_out: bool) -> dict[str, Any]:
    return {"PythonSDK": {"Modules": {"TelemetryOptOut": opt_out}}}


class _Sent(Exception):
    """Carries a request in place of sending it."""


def _keep(params: dict[str, Any], **_: Any) -> None:
    raise _Sent(params)


def _keep_requests(session: Session) -> Session:
    session.boto_session.events.register("provide-client-params.sagemaker.CreateTrainingJob", _keep)
    return session


@pytest.fixture(scope="module")
def quiet_session(embedded_aws: Running) -> Session:
    """A session whose requests for jobs are not sent; made once, since the SDK makes six clients for each."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in embedded_aws.environment().items():
            patch.setenv(name, value)
        return _keep_requests(platform_session(PLATFORM.foundation))


@pytest.fixture
def trainer_for(aws_session: boto3.Session, quiet_session: Session) -> TrainerFor:
    """Makes the trainer of a job on the platform above; its requests are kept."""
    return lambda job: trainer_of(plan(job, PLATFORM), Aws(), session=quiet_session)


def _sent_by(trainer: HeadraceTrainer, **arguments: Any) -> dict[str, Any]:
    """The CreateTrainingJob request that reaches boto3; it is not sent."""
    with pytest.raises(_Sent) as caught:
        trainer.train(**arguments)
    return dict(caught.value.args[0])


@pytest.mark.parametrize("name", JOBS)
def test_the_sdk_sends_the_request_of_the_plan(name: str, trainer_for: TrainerFor) -> None:
    """Member by member; where the plan says nothing, the SDK may send an empty map."""
    planned = plan(JOBS[name], PLATFORM).request
    sent = _sent_by(trainer_for(JOBS[name]))
    assert {key: value for key, value in sent.items() if value != {}} == planned


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_member_is_spelt_as_the_sdk_spells_it(name: str) -> None:
    """Whatever CreateTrainingJob's structures may hold one day, its name reaches the SDK's shape."""
    members = get_session().get_service_model("sagemaker").shape_for(name).members
    ours = set(in_snake_case(dict.fromkeys(members)))
    assert ours == set(getattr(shapes, name).model_fields)


def test_a_member_without_a_place_is_refused() -> None:
    """Nothing that the request says is left out in silence."""
    request = build_request(JOB, PLATFORM) | {"ExperimentConfig": {"ExperimentName": "x"}}
    with pytest.raises(InvalidInput, match=r"member ExperimentConfig .*allowed: .*fix: "):
        to_trainer_fields(request)


DROPPED = {
    "InputDataConfig[0].ShuffleConfig.Seed is 0": replace(
        JOB, channels=(Channel(name="train", source=S3FileSource(location=DATA, shuffle_seed=0)),)
    ),
    "Tags[0].Value is ''": replace(JOB, tags={"draft": ""}),
}


@pytest.mark.parametrize("problem", DROPPED)
def test_a_value_that_the_sdk_drops_is_refused(problem: str) -> None:
    """The job would run, and not as it was asked for."""
    with pytest.raises(InvalidInput) as refused:
        to_trainer_fields(build_request(DROPPED[problem], PLATFORM))
    (line,) = refused.value.problems
    assert line.startswith(f"{problem}; allowed: ")


def test_the_sdk_still_drops_zero_in_structures() -> None:
    """When this fails, the refusal above has lost its reason."""
    assert serialize(shapes.ShuffleConfig(seed=0)) == {}


def test_names_of_the_user_are_not_spelt_anew() -> None:
    """Hyperparameters and variables are data, not members."""
    fields = to_trainer_fields(build_request(JOBS["what the script sees"], PLATFORM))
    assert fields["hyperparameters"]["S3Uri"] == "0.10"
    assert fields["environment"]["DataPath"] == "x"


def test_a_string_source_still_forces_file_mode(trainer_for: TrainerFor) -> None:
    """The SDK's trap for which the trainer holds Channel objects; when this fails, the guide can say less."""
    trainer = trainer_for(JOB)
    trainer.training_input_mode = "FastFile"
    given = InputData(channel_name="more", data_source="s3://lake/data/more/")
    channels = {each["ChannelName"]: each for each in _sent_by(trainer, input_data_config=[given])["InputDataConfig"]}
    assert channels["more"]["InputMode"] == "File"
    assert set(channels) == {"train", "more"}


def test_what_the_user_changes_on_the_trainer_is_sent(trainer_for: TrainerFor) -> None:
    """It is a ModelTrainer, and theirs."""
    trainer = trainer_for(JOB)
    trainer.hyperparameters = {"epochs": 7}
    trainer.compute.instance_type = "ml.m5.xlarge"
    trainer.job_name, trainer.base_job_name = None, "headrace-dev-again"
    sent = _sent_by(trainer)
    assert sent["HyperParameters"] == {"epochs": "7"}
    assert sent["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert sent["TrainingJobName"].startswith("headrace-dev-again-2")


@pytest.mark.usefixtures("aws_session")
def test_the_sdks_defaults_for_jobs_do_not_reach_a_checked_job(
    configure: Configure,
) -> None:
    """A VPC, tags and variables of the SDK's configuration file would change what was checked."""
    vpc = {"Subnets": ["subnet-99"], "SecurityGroupIds": ["sg-99"]}
    defaults = {"TrainingJob": {"Environment": {"FROM": "file"}, "VpcConfig": vpc, "EnableNetworkIsolation": True}}
    configure(defaults)
    session = _keep_requests(platform_session(PLATFORM.foundation))
    sent = _sent_by(trainer_of(plan(JOB, PLATFORM), Aws(), session=session))
    assert not sent.get("Environment")
    assert "VpcConfig" not in sent
    assert "EnableNetworkIsolation" not in sent


@pytest.mark.parametrize("choice", [True, False])
def test_the_choice_on_telemetry_is_the_users(choice: bool) -> None:
    """The one part of the configuration file that a platform's session takes over."""
    configuration = {"SchemaVersion": "1.0", "SageMaker": _telemetry(opt_out=choice) | {"TrainingJob": {}}}
    assert telemetry_choice(configuration)["SageMaker"] == _telemetry(opt_out=choice)
    assert telemetry_choice({"SchemaVersion": "1.0", "SageMaker": {"TrainingJob": {}}}) == {}


@pytest.mark.parametrize("opt_out", [True, False])
@pytest.mark.usefixtures("aws_session")
def test_telemetry_is_sent_unless_opted_out(opt_out: bool, configure: Configure, telemetry: list[str]) -> None:
    """As the guide says: by the SDK, to a bucket of its own, and not at all when the file says so."""
    configure(_telemetry(opt_out=True) if opt_out else {})
    trainer_of(plan(JOB, PLATFORM), Aws()).train(dry_run=True)
    _await_telemetry()
    expected = [] if opt_out else ["https://sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com/telemetry"]
    assert [url.split("?")[0] for url in telemetry] == expected


def test_the_role_is_judged_by_headrace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's variable is set for the block only, and a value of the user's stands."""
    with role_judged_by_headrace():
        assert os.environ[ROLE_VALIDATION_VARIABLE] == "false"
    assert ROLE_VALIDATION_VARIABLE not in os.environ
    monkeypatch.setenv(ROLE_VALIDATION_VARIABLE, "true")
    with role_judged_by_headrace():
        assert os.environ[ROLE_VALIDATION_VARIABLE] == "true"
    assert os.environ[ROLE_VALIDATION_VARIABLE] == "true"


@pytest.mark.usefixtures("aws_session")
def test_a_session_in_another_region_is_refused() -> None:
    """The platform's bucket and subnets are in one Region."""
    elsewhere = Session(boto_session=boto3.Session(region_name="eu-west-1"), default_bucket="lake")
    with pytest.raises(InvalidInput, match=r"session is in eu-west-1; allowed: .*us-east-1; fix: "):
        trainer_of(plan(JOB, PLATFORM), Aws(), session=elsewhere)


def test_a_pipeline_or_a_queue_is_refused(trainer_for: TrainerFor) -> None:
    """Their jobs start later and elsewhere: code that travels with one job's name would not be there."""
    with pytest.raises(InvalidInput, match="fix: put the request"):
        trainer_for(JOB)._create_training_job_args(boto3=True)


@pytest.mark.usefixtures("aws_session")
def test_a_session_of_the_platform_uploads_to_the_platforms_bucket() -> None:
    """The SDK makes a bucket of its own in every account that does not name one."""
    boto3.client("s3").create_bucket(Bucket="lake")
    session = platform_session(PLATFORM.foundation)
    assert (session.default_bucket(), session.default_bucket_prefix) == ("lake", "code")
    buckets = {each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]}
    assert "sagemaker-us-east-1-123456789012" not in buckets


def test_an_sdk_that_is_made_otherwise_is_refused(trainer_for: TrainerFor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its jobs would run the image's own entry point."""
    monkeypatch.delattr(ModelTrainer, "_create_training_job_args")
    with pytest.raises(HeadraceError, match=r"sagemaker 3\.\d+.*allowed: 3\.27; fix: "):
        trainer_for(JOB)


def test_without_the_sdk_one_line_says_what_to_install() -> None:
    """The extra is named."""
    block = "import sys; sys.modules['sagemaker'] = None; import headrace.sagemaker_sdk"
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
    assert "ImportError: no module sagemaker" in done.stderr.splitlines()[-1]
    assert done.stderr.rstrip().endswith("install it: pip install 'headrace[sagemaker]'")


@pytest.fixture(scope="module")
def words(deployed: DeployedPlatform) -> None:
    """Three words in three objects of the deployed platform, and an image."""
    for number, word in enumerate(("water", "turns", "wheels")):
        key = f"data/sdk/{number}.txt"
        deployed.client("s3").put_object(Bucket=deployed.foundation.bucket, Key=key, Body=word.encode())
    deployed.push_image("sdk:1")


@pytest.fixture
def job_file(tmp_path: Path, words: None, deployed: DeployedPlatform, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job file for the deployed platform, and an environment that leads there."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "words.py").write_text(SCRIPT)
    job = {
        "base_job_name": "sdk",
        "image": "sdk:1",
        "instance_type": "ml.m5.large",
        "source_dir": "src",
        "entry_point": "words.py",
        "channels": {"train": {"s3": "data/sdk/"}},
        "hyperparameters": {"epochs": "3"},
        "metric_definitions": [{"name": "count", "regex": r"^count=(\d+)"}],
    }
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


def _code_of(deployed: DeployedPlatform, prefix: str) -> set[str]:
    found = deployed.client("s3").list_objects_v2(Bucket=deployed.foundation.bucket, Prefix=f"code/{prefix}")
    return {each["Key"] for each in found.get("Contents", [])}


def test_a_job_file_trains_through_the_sdk(
    job_file: Path, deployed: DeployedPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """``trainer.train()`` runs the script on the platform, and the job is the one that ``headrace train`` makes."""
    trainer = model_trainer(job_file)
    with caplog.at_level("INFO", logger="sagemaker"):
        trainer.train()
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert job.training_job_name.startswith(f"{deployed.foundation.job_name_prefix}sdk-2")
    assert "words water turns wheels []" in caplog.text
    described = deployed.client("sagemaker").describe_training_job(TrainingJobName=job.training_job_name)
    assert [(each["MetricName"], each["Value"]) for each in described["FinalMetricDataList"]] == [("count", 3.0)]
    named = replace(plan(_record(job_file), deployed.platform).job, name=job.training_job_name)
    planned = plan(named, deployed.platform).request
    assert {key: described[key] for key in planned if key != "Tags"} == {
        key: value for key, value in planned.items() if key != "Tags"
    }
    tags = deployed.client("sagemaker").list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert tags == planned["Tags"]


def test_dependencies_travel_with_the_code(job_file: Path, deployed: DeployedPlatform) -> None:
    """They lie beside the entry point, as ``headrace train`` puts them there."""
    (job_file.parent / "shared.py").write_text("WORD = 'shared'\n")
    trainer = model_trainer(
        _record(job_file).model_copy(
            update={"base_job_name": "sdk-dependencies", "dependencies": [job_file.parent / "shared.py"]}
        )
    )
    trainer.train(wait=False, logs=False)
    job = trainer._latest_training_job
    key = f"code/{job.training_job_name}/source.tar.gz"
    body = deployed.client("s3").get_object(Bucket=deployed.foundation.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["shared.py", "words.py"]
    job.wait(poll=1)


def _record(path: Path) -> JobFile:
    plain = yaml.safe_load(path.read_text())
    return JobFile(**plain | {"source_dir": path.parent / plain["source_dir"]})


def test_a_failing_job_raises_and_keeps_its_code(job_file: Path, deployed: DeployedPlatform) -> None:
    """The SDK's own exception; the job exists, and so does what it ran."""
    trainer = model_trainer(_record(job_file).model_copy(update={"base_job_name": "sdk-fails", "arguments": ["fail"]}))
    with pytest.raises(FailedStatusError, match="exit code: 1"):
        trainer.train(logs=False)
    name = trainer._latest_training_job.training_job_name
    assert _code_of(deployed, f"{name}/") == {f"code/{name}/source.tar.gz"}


def test_code_of_a_job_that_is_refused_is_taken_back(job_file: Path, deployed: DeployedPlatform) -> None:
    """Nothing half-made is left behind."""
    trainer = model_trainer(_record(job_file).model_copy(update={"base_job_name": "sdk-refused"}))
    trainer.role = "arn:aws:iam::123456789012:role/nobody"
    with pytest.raises(deployed.client("sagemaker").exceptions.ClientError, match="Could not assume role"):
        trainer.train()
    assert _code_of(deployed, f"{deployed.foundation.job_name_prefix}sdk-refused") == set()


def test_a_dry_run_uploads_nothing(job_file: Path, deployed: DeployedPlatform) -> None:
    """It is free."""
    trainer = model_trainer(_record(job_file).model_copy(update={"base_job_name": "sdk-dry"}))
    trainer.train(dry_run=True)
    assert _code_of(deployed, f"{deployed.foundation.job_name_prefix}sdk-dry") == set()


def test_an_exact_name_is_used_once(job_file: Path, deployed: DeployedPlatform) -> None:
    """A second job must not overwrite the code of the first, which may be starting."""
    name = f"{deployed.foundation.job_name_prefix}sdk-once"
    trainer = model_trainer(_record(job_file).model_copy(update={"base_job_name": None, "job_name": name}))
    trainer.train(wait=False, logs=False)
    with pytest.raises(InvalidInput, match=f"job_name is '{name}'; allowed: .*fix: "):
        trainer.train(wait=False, logs=False)
    assert _code_of(deployed, f"{name}/") == {f"code/{name}/source.tar.gz"}
    trainer._latest_training_job.wait(poll=1)


def test_a_source_code_of_the_users_goes_the_sdks_way(job_file: Path, deployed: DeployedPlatform) -> None:
    """Two channels and the entry point are the SDK's then, and nothing of ours is added."""
    trainer = model_trainer(_record(job_file).model_copy(update={"base_job_name": "sdk-own"}))
    trainer.source_code = SourceCode(source_dir=str(job_file.parent / "src"), entry_script="words.py")
    _keep_requests(trainer.sagemaker_session)
    sent = _sent_by(trainer)
    channels = {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in sent["InputDataConfig"]}
    assert set(channels) == {"train", "code", "sm_drivers"}
    assert channels["code"].startswith(f"s3://{deployed.foundation.bucket}/code/")
    assert sent["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]
