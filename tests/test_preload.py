"""``headrace preload``: the job, its estimate, what is listed for it, and the check of its counts."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from headrace import preload, service_model
from headrace.aws.data_repository_tasks import DataRepositoryTask
from headrace.aws.objects import StoredObject
from headrace.cli.preload import duration
from headrace.errors import InvalidInput
from headrace.figures.lustre_content import content_mb_per_second, instance_for, instances, readers_for
from headrace.future_lustre import PLACEHOLDER_ID
from headrace.planning import plan
from headrace.platform import DataLocation, FoundationPart, LustreLink, LustrePart, Platform, Roles, Subnet
from headrace.preload import Bound, Contents, estimate
from headrace.preload.contents import look_through
from headrace.preload.counters import METRICS, check_counts
from headrace.preload.estimate import max_runtime_seconds, stall_seconds
from headrace.preload.job import ENTRYPOINT, PIECE, SCRIPT, squeezed, training_job
from headrace.preload.tasks import import_to_compare
from headrace.rules import RuleViolations
from headrace.rules.locations import LocationSpec
from headrace.sources import S3Location

ROLE = "arn:aws:iam::123456789012:role/headrace-dev"
DATA = LustreLink(name="data", path="/data", bucket="lake", prefix="data/")
MORE = LustreLink(name="more", path="/more/images", bucket="other", prefix="")
PLATFORM = Platform(
    foundation=FoundationPart(
        platform="dev",
        region="us-east-1",
        account="123456789012",
        vpc_id="vpc-0123456789abcdef0",
        subnets=(
            Subnet(subnet_id="subnet-0123456789abcdef0", az_id="use1-az1"),
            Subnet(subnet_id="subnet-0123456789abcdef1", az_id="use1-az2"),
        ),
        job_security_group_id="sg-0123456789abcdef0",
        bucket="lake",
        data_locations=(DataLocation(bucket="lake", prefix="data/"), DataLocation(bucket="other", prefix="")),
        roles=Roles(s3=f"{ROLE}-s3", file_systems=f"{ROLE}-file-systems", both=f"{ROLE}-both"),
        job_name_prefix="headrace-dev-",
    ),
    lustre=LustrePart(
        platform="dev",
        file_system_id="fs-0123456789abcdef0",
        mount_name="abcdefgh",
        subnet_id="subnet-0123456789abcdef1",
        az_id="use1-az2",
        storage_capacity_gib=1200,
        links=(DATA, MORE),
    ),
)
NOW = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC)
WANTED = preload.Preload(image="digits:1")
GIB = 1 << 30
SOME = Contents(files=10, size_bytes=5 * GIB, largest_bytes=GIB)


def test_the_request_is_one_that_sagemaker_takes_and_reads_every_link() -> None:
    """A read-only channel a link, where the Lustre is; no code, no rights in S3, the counters as metrics."""
    request = plan(training_job(WANTED, PLATFORM, SOME, NOW), PLATFORM).request
    assert service_model.violations("sagemaker", "CreateTrainingJob", request) == []
    assert request["TrainingJobName"] == "headrace-dev-preload-20260304-050607-891"
    assert request["RoleArn"] == f"{ROLE}-file-systems"
    assert request["VpcConfig"]["Subnets"] == ["subnet-0123456789abcdef1"]
    assert {each["ChannelName"]: each["DataSource"] for each in request["InputDataConfig"]} == {
        name: {
            "FileSystemDataSource": {
                "FileSystemId": "fs-0123456789abcdef0",
                "FileSystemAccessMode": "ro",
                "FileSystemType": "FSxLustre",
                "DirectoryPath": path,
            }
        }
        for name, path in (("data", "/abcdefgh/data"), ("more", "/abcdefgh/more/images"))
    }
    algorithm, environment = request["AlgorithmSpecification"], request["Environment"]
    assert algorithm["ContainerEntrypoint"] == list(ENTRYPOINT)
    assert {each["Name"] for each in algorithm["MetricDefinitions"]} == {each.name for each in METRICS}
    assert environment["PRELOAD_DIRECTORIES"] == "/opt/ml/input/data/data /opt/ml/input/data/more"
    script = "".join(environment[f"{PIECE}{number}"] for number in range(len(environment) - 4))
    assert script == squeezed(SCRIPT.read_text())
    assert len(environment) <= 100


def test_one_link_or_a_directory_of_it_can_be_read() -> None:
    """The channel names the directory; in S3 it is the same below the prefix."""
    wanted = replace(WANTED, link="data", path="digits/")
    (channel,) = plan(training_job(wanted, PLATFORM, SOME, NOW), PLATFORM).request["InputDataConfig"]
    assert channel["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/abcdefgh/data/digits"
    assert wanted.location_of(DATA) == S3Location(bucket="lake", prefix="data/digits/")
    assert WANTED.location_of(MORE) == S3Location(bucket="other", prefix="")


def test_a_file_system_that_is_yet_to_be_made_gets_the_same_request() -> None:
    """With a placeholder, directories without the mount name and no network, which its maker fills in."""
    request = preload.preload_request(
        name="dev-digits-1-preload",
        platform=replace(PLATFORM, lustre=None),
        links=[DATA, LustreLink(name="all", path="/", bucket="other", prefix="")],
        storage_capacity_gib=9600,
        contents=SOME,
        image="digits:1",
        tags={"team": "mill"},
    )
    assert service_model.violations("sagemaker", "CreateTrainingJob", request) == []
    assert (request["TrainingJobName"], request["RoleArn"]) == ("dev-digits-1-preload", f"{ROLE}-file-systems")
    assert "VpcConfig" not in request
    sources = [each["DataSource"]["FileSystemDataSource"] for each in request["InputDataConfig"]]
    assert [(each["FileSystemId"], each["DirectoryPath"]) for each in sources] == [
        (PLACEHOLDER_ID, "/data"),
        (PLACEHOLDER_ID, "/"),
    ]
    assert request["ResourceConfig"]["InstanceType"] == instance_for(content_mb_per_second(9600)).name
    assert {"Key": "team", "Value": "mill"} in request["Tags"]
    # the request goes through a state machine, whose whole input holds 256 KiB
    assert len(json.dumps(request)) < 32 * 1024


def test_a_file_system_that_is_yet_to_be_made_needs_an_image_and_a_role() -> None:
    """As the job of a shared one does."""
    given: dict[str, Any] = {"name": "x", "links": [DATA], "storage_capacity_gib": 1200, "contents": SOME}
    with pytest.raises(InvalidInput, match="image is missing"):
        preload.preload_request(platform=PLATFORM, image="", **given)
    roles = replace(PLATFORM.foundation, roles=Roles(s3=f"{ROLE}-s3"))
    with pytest.raises(RuleViolations):
        preload.preload_request(platform=Platform(foundation=roles), image="digits:1", **given)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": None}, "image is missing"),
        ({"readers": 0}, "readers is 0; allowed: 1 to 256"),
        ({"readers": 257}, "readers is 257"),
        ({"path": "digits"}, "path is 'digits'; allowed: a directory below one link"),
        ({"link": "dta"}, "Lustre link is 'dta'; allowed: data, more"),
    ],
)
def test_each_mistake_is_told(changes: dict[str, Any], told: str) -> None:
    """What cannot be read is refused with its value, and nothing else is said."""
    with pytest.raises(InvalidInput) as refused:
        training_job(replace(WANTED, **changes), PLATFORM, SOME, NOW)
    assert len(refused.value.problems) == 1
    assert told in refused.value.problems[0]
    assert "fix: " in refused.value.problems[0]


def test_a_path_that_leads_elsewhere_is_refused() -> None:
    """The rule of the channel says so."""
    with pytest.raises(RuleViolations, match=r"channels\.data"):
        plan(training_job(replace(WANTED, link="data", path="../more"), PLATFORM, SOME, NOW), PLATFORM)


def test_a_platform_without_a_lustre_is_refused() -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match="'dev' has no shared Lustre"):
        training_job(WANTED, replace(PLATFORM, lustre=None), SOME, NOW)


@pytest.mark.parametrize(
    ("capacity_gib", "throughput", "instance_type", "readers"),
    [
        (1200, None, "ml.m5.xlarge", 16),
        (2400, None, "ml.m5.2xlarge", 16),
        (9600, None, "ml.c5n.2xlarge", 16),
        (24_000, None, "ml.c5n.9xlarge", 34),
        (100_800, None, "ml.c5n.18xlarge", 141),
        (1_000_800, None, "ml.c5n.18xlarge", 256),
        (1200, 125, "ml.m5.xlarge", 16),
        (1200, 1000, "ml.c5n.2xlarge", 17),
        (2400, 1000, "ml.c5n.9xlarge", 34),
    ],
)
def test_the_file_system_s_throughput_chooses_instance_and_readers(
    capacity_gib: int, throughput: int | None, instance_type: str, readers: int
) -> None:
    """100 MB/s for each TiB, or what it was made for: the smallest network for it, and enough single streams."""
    content = content_mb_per_second(capacity_gib, throughput)
    assert (instance_for(content).name, readers_for(content)) == (instance_type, readers)


def test_a_faster_file_system_has_a_shorter_preload_on_a_larger_instance() -> None:
    """The throughput of a persistent one comes with the platform's record."""
    assert PLATFORM.lustre is not None
    fast = replace(PLATFORM, lustre=replace(PLATFORM.lustre, per_unit_storage_throughput_mbps_per_tib=1000))
    much = Contents(files=1000, size_bytes=10**13, largest_bytes=10**10)
    slow_job, fast_job = (training_job(WANTED, each, much, NOW) for each in (PLATFORM, fast))
    assert (slow_job.instance_type, fast_job.instance_type) == ("ml.m5.xlarge", "ml.c5n.2xlarge")
    assert slow_job.max_runtime_seconds > 5 * fast_job.max_runtime_seconds


def test_the_instances_are_training_instances_from_small_to_large() -> None:
    """Each is in the API."""
    types = service_model.installed("sagemaker").shapes["TrainingInstanceType"]["enum"]
    assert {each.name for each in instances()} <= set(types)
    networks = [each.network_gbit_per_second or 0 for each in instances()]
    assert networks == sorted(networks)


@pytest.mark.parametrize(
    ("files", "size_bytes", "capacity_gib", "readers", "instance_type", "seconds", "bound"),
    [
        # 1 TiB takes 100 MB/s: the 10^12 bytes of a terabyte in 10,000 s
        (1000, 10**12, 1024, 16, "ml.c5n.xlarge", 10_000, Bound.CONTENT),
        (1000, 10**12, 2048, 16, "ml.c5n.xlarge", 5000, Bound.CONTENT),
        # 16 readers bring 112 small files a second
        (1_530_000, 10**10, 1200, 16, "ml.m5.xlarge", 1_530_000 / 112, Bound.FILES),
        (1_530_000, 10**10, 1200, 64, "ml.m5.xlarge", 1_530_000 / 448, Bound.FILES),
        # 0.75 Gbit/s are 93.75 MB/s
        (1000, 10**12, 9600, 16, "ml.m5.large", 10**6 / 93.75, Bound.NETWORK),
        # a type whose network is not known bounds nothing
        (1000, 10**12, 1024, 16, "ml.p6e-gb200.36xlarge", 10_000, Bound.CONTENT),
        (0, 0, 1200, 16, "ml.m5.large", 0, Bound.CONTENT),
    ],
)
def test_the_slowest_of_three_bounds_the_estimate(
    files: int, size_bytes: int, capacity_gib: int, readers: int, instance_type: str, seconds: float, bound: Bound
) -> None:
    """The disks' rate, the wait for each file, the instance's network."""
    contents = Contents(files=files, size_bytes=size_bytes, largest_bytes=0)
    found = estimate(contents, content_mb_per_second(capacity_gib), readers, instance_type)
    assert found.seconds == pytest.approx(seconds)
    assert found.bound is bound


@pytest.mark.parametrize(
    ("size_bytes", "largest_bytes", "seconds"),
    [
        (0, 0, 600),
        (10**9, 10**6, 600 + 1),
        # 70 GB at 70 MB/s alone take 1,000 s; there is no second one
        (70 * 10**9, 70 * 10**9, 600 + 3 * 1000),
        # sixteen at once share 100 MB/s
        (10**13, 10**10, 600 + 3 * 1600),
    ],
)
def test_the_largest_file_may_take_its_time(size_bytes: int, largest_bytes: int, seconds: int) -> None:
    """A reader gets a file when all of its content is there, and that is no stall."""
    contents = Contents(files=1, size_bytes=size_bytes, largest_bytes=largest_bytes)
    assert stall_seconds(contents, content_mb_per_second(1024), 16) == seconds


def test_the_job_may_run_for_several_times_the_estimate_and_at_most_28_days() -> None:
    """The stall detector comes first."""
    content = content_mb_per_second(1200)
    for size_bytes in (0, 10**12, 10**15):
        contents = Contents(files=1, size_bytes=size_bytes, largest_bytes=size_bytes)
        expected, stall = estimate(contents, content, 16, "ml.m5.xlarge"), stall_seconds(contents, content, 16)
        seconds = max_runtime_seconds(expected, stall)
        assert seconds == min(28 * 86_400, -(-expected.seconds * 5 // 1) + stall + 1800)
    assert seconds == 28 * 86_400


def _object(key: str, size_bytes: int = 1, storage_class: str = "STANDARD") -> StoredObject:
    return StoredObject(key=key, size_bytes=size_bytes, storage_class=storage_class, modified=NOW)


WHERE = LocationSpec(field="link", bucket="lake", prefix="data/", is_readable=True)


def test_contents_are_counted_page_by_page() -> None:
    """Markers of folders are no files; the largest and the newest are kept."""
    objects = [_object(f"data/{number:05}", number) for number in range(25_000)]
    newest = replace(objects[3], modified=NOW + timedelta(days=1))
    told: list[tuple[str, int]] = []
    contents, findings = look_through(
        WHERE,
        [_object("data/", 0), *objects, newest, _object("data/x/", 0)],
        "us-east-1",
        lambda *what: told.append(what),
    )
    assert findings == []
    assert contents == Contents(
        files=25_001,
        size_bytes=sum(range(25_000)) + 3,
        largest_bytes=24_999,
        objects=25_003,
        newest=newest.modified,
    )
    assert told[-1] == ("objects listed", 25_003)


@pytest.mark.parametrize(
    ("last", "rule_id"),
    [
        pytest.param(_object("data/99999"), None, id="a file"),
        pytest.param(_object("data/25000/x"), "V130", id="a file is also a folder"),
        pytest.param(_object("data/x//y"), "V53", id="a folder without a name"),
        pytest.param(_object("data/x\ny"), "V53", id="a line break"),
        pytest.param(_object("data/cold", storage_class="GLACIER"), "V27", id="an archived object"),
    ],
)
def test_every_key_is_judged_however_many_there_are(last: StoredObject, rule_id: str | None) -> None:
    """What is wrong beyond the first page of the listing is found before the job costs anything."""
    objects = [*(_object(f"data/{number:05}") for number in range(25_001)), last, last]
    _, found = look_through(WHERE, objects, "us-east-1")
    assert [each.rule_id for each in found] == ([] if rule_id is None else [rule_id])


LISTED = preload.Tally(files=20_000_001, size_bytes=3 * 10**12 + 7)
LOADED = {
    "loaded_files_e6": 20,
    "loaded_files_e0": 1,
    "loaded_bytes_e12": 3,
    "loaded_bytes_e6": 0,
    "loaded_bytes_e0": 7,
}


@pytest.mark.parametrize(
    ("changes", "imported", "told"),
    [
        ({}, None, None),
        ({}, 20_000_001, None),
        ({"loaded_files_e0": 0}, None, r"has 20,000,000 files .* allowed: the 20,000,001 files"),
        ({"loaded_bytes_e0": 8}, None, r"3,000,000,000,008 bytes loaded; allowed: .* 3,000,000,000,007 bytes"),
        ({"loaded_bytes_e12": None}, None, "an unknown number of files"),
        ({}, 20_000_000, r"has 20,000,001 files .* allowed: the 20,000,000 files that its import task"),
    ],
)
def test_counts_that_differ_are_an_error_with_both(
    changes: dict[str, float | None], imported: int | None, told: str | None
) -> None:
    """To the last file and byte, and with what the import task has counted."""
    metrics = {name: value for name, value in (LOADED | changes).items() if value is not None}
    if told is None:
        assert check_counts("fs-1:/data", LISTED, metrics, imported) == LISTED
        return
    with pytest.raises(preload.CountsDiffer, match=told) as differs:
        check_counts("fs-1:/data", LISTED, metrics, imported)
    assert differs.value.exit_code == 1


def _import(*paths: str, lifecycle: str = "SUCCEEDED", created: datetime = NOW) -> DataRepositoryTask:
    return DataRepositoryTask(
        task_id="task-01",
        task_type="IMPORT_METADATA_FROM_REPOSITORY",
        lifecycle=lifecycle,
        created=created,
        paths=paths,
        total_files=3,
        succeeded_files=3,
        failed_files=0,
    )


@pytest.mark.parametrize(
    ("imports", "read", "is_compared"),
    [
        pytest.param([], [DATA, MORE], False, id="there is none"),
        pytest.param([_import()], [DATA, MORE], True, id="everything"),
        pytest.param([_import()], [DATA], False, id="it imported more"),
        pytest.param([_import("s3://lake/data")], [DATA], True, id="this link"),
        pytest.param([_import("s3://lake/data/")], [DATA], True, id="this link, with a slash"),
        pytest.param([_import("s3://lake/data/digits")], [DATA], False, id="a part of it"),
        pytest.param([_import("s3://lake/data"), _import("s3://other")], [DATA], True, id="each link its own"),
        pytest.param([_import("s3://lake/data"), _import("s3://lake/data/x")], [DATA], False, id="two of them"),
        pytest.param([_import("s3://lake")], [DATA], False, id="above it"),
        pytest.param([_import("s3://lake/data-2")], [DATA], False, id="another with the same beginning"),
        pytest.param([_import(lifecycle="FAILED")], [DATA, MORE], False, id="it failed"),
        pytest.param([_import(created=NOW - timedelta(seconds=1))], [DATA, MORE], False, id="older than an object"),
    ],
)
def test_only_a_task_that_counted_the_same_files_is_compared(
    imports: list[DataRepositoryTask], read: list[LustreLink], is_compared: bool
) -> None:
    """A further import may count only what was new by then, and an older one misses what came later."""
    assert (import_to_compare(imports, read, (DATA, MORE), NOW) is not None) == is_compared


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "1 s"), (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (5400, "1.5 h"), (86_400, "24.0 h")],
)
def test_durations_are_for_people(seconds: float, told: str) -> None:
    """As exact as an estimate is."""
    assert duration(seconds) == told


def test_the_function_takes_what_the_record_does() -> None:
    """Every wish of the record can be said in the call."""
    wishes = set(inspect.signature(preload.Preload).parameters)
    assert wishes <= set(inspect.signature(preload.preload).parameters)
