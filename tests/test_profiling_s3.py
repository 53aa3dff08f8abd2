"""Profiles of S3: over HTTP with failures, in several processes, and of the embedded AWS."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import boto3
import pytest
from headrace.aws import AwsError, Connection
from headrace.aws.connection import Credentials
from headrace.aws.listing import Listing
from headrace.aws.s3 import S3
from headrace.dataset import read_profile, to_plain
from headrace.dataset.pages import parse_page
from headrace.dataset.profile_file import from_plain
from headrace.profiling import listed
from headrace.profiling.listed import list_all
from headrace.profiling.sampled import profile_sampled
from headrace.sources import S3Location

from tests.command_line import Run, runner
from tests.dataset_reference import Bucket, Made
from tests.listing_server import CLOSED, CUT, DENIED, SLOW_DOWN, ListingServer, serving
from tests.test_dataset_counts import check

Serve = Callable[..., AbstractContextManager[ListingServer]]
HOSTILE = (
    "data/a b+c&d<e>'\".jpg",
    "data/é/\U0001f600.png",
    "data/a//b",
    "data/same",
    "data/same-other",
    "data/same/inside.tar.gz",
    "data/control\x01.txt",
    "data/line\nbreak.txt",
    "data/100%.csv",
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``headrace profile``."""
    return runner(monkeypatch, capsys, "profile")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serves made-up objects; the environment leads there."""

    def serve(*args: Any, **kwargs: Any) -> AbstractContextManager[ListingServer]:
        context = serving(*args, **kwargs)

        class Led:
            def __enter__(self) -> ListingServer:
                server = context.__enter__()
                monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
                return server

            def __exit__(self, *error: Any) -> None:
                context.__exit__(*error)

        return Led()  # type: ignore[return-value]

    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return serve


def _listing(prefix: str = "") -> Listing:
    return Listing(Connection(), "data", prefix, "us-east-1", pause=lambda _seconds: None)


def test_a_page_is_asked_for_as_boto3_would(served: Serve) -> None:
    """Signed, URL-encoded, from the endpoint of the environment, with every key that text can be."""
    with served([Made(key, 1) for key in HOSTILE], most=4) as server:
        first = parse_page(_listing("data/").page())
        assert len(first.page) == 4
        second = parse_page(_listing("data/").page(token=first.next_token))
        third = parse_page(_listing("data/").page(after="data/line\nbreak.txt"))
    assert second.page.key(0) == sorted(key.encode() for key in HOSTILE)[4]
    assert third.page.key(0) == b"data/same"
    assert server.requests[0] == {"list-type": "2", "encoding-type": "url", "max-keys": "1000", "prefix": "data/"}
    assert "Credential=x/" in server.headers[0]["Authorization"]


@pytest.mark.parametrize(
    ("bucket", "region", "environment", "url"),
    [
        ("data", "us-east-1", {}, "https://data.s3.amazonaws.com/"),
        ("data", "eu-central-1", {}, "https://data.s3.eu-central-1.amazonaws.com/"),
        ("data", "eu-south-1", {}, "https://data.s3.eu-south-1.amazonaws.com/"),
        ("data", "cn-north-1", {}, "https://data.s3.cn-north-1.amazonaws.com.cn/"),
        ("da.ta", "eu-south-1", {}, "https://s3.eu-south-1.amazonaws.com/da.ta"),
        ("data", "us-east-2", {"AWS_USE_FIPS_ENDPOINT": "true"}, "https://data.s3-fips.us-east-2.amazonaws.com/"),
        (
            "data",
            "us-west-2",
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "https://data.s3.dualstack.us-west-2.amazonaws.com/",
        ),
    ],
)
def test_a_bucket_is_asked_in_its_region(
    monkeypatch: pytest.MonkeyPatch, bucket: str, region: str, environment: dict[str, str], url: str
) -> None:
    """Where a client would send its own call: the global endpoint does not know the buckets of every Region."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", **environment}.items():
        monkeypatch.setenv(name, value)
    listing = Listing(Connection("us-east-1"), bucket, "", region)
    listing._prepare()
    assert listing._url == url


@pytest.mark.parametrize(
    "answer",
    [
        (301, b"<Error><Code>PermanentRedirect</Code><Endpoint>data.s3.eu-south-1.amazonaws.com</Endpoint></Error>"),
        (307, b"<Error><Code>TemporaryRedirect</Code></Error>"),
        (301, b""),
        (400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-south-1</Region></Error>"),
    ],
)
def test_a_bucket_of_another_region_is_told(served: Serve, answer: tuple[int, bytes]) -> None:
    """At once, and where it is if S3 says so."""
    with served([], [answer]) as server, pytest.raises(AwsError, match=r"s3://data lies .* asked in us-east-1") as told:
        _listing().page()
    assert len(server.requests) == 1
    assert ("eu-south-1" in str(told.value)) == (b"<Region>" in answer[1])


def test_an_answer_of_something_else_is_told(served: Serve) -> None:
    """A page of a proxy does not become a listing by asking ten times."""
    with served([], [(200, b"<html>log in</html>")]) as server, pytest.raises(AwsError, match="no listing of S3"):
        _listing().page()
    assert len(server.requests) == 1


def test_an_endpoint_that_is_away_is_asked_again(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less often where it never answered: then the address is likely to be wrong."""
    pauses: list[float] = []
    with served([Made("a", 1)]) as server:
        listing = Listing(Connection(), "data", "", "us-east-1", pause=pauses.append)
        listing.page()
        url, listing._url = listing._url, "http://127.0.0.1:9/data"
        with pytest.raises(AwsError, match="Could not connect"):
            listing.page()
        assert len(pauses) == 9
        listing.pause = lambda _seconds: setattr(listing, "_url", url)
        listing._url = "http://127.0.0.1:9/data"
        assert parse_page(listing.page()).page.key(0) == b"a"
    assert server.requests
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    pauses.clear()
    with pytest.raises(AwsError, match="Could not connect"):
        Listing(Connection(), "data", "", "us-east-1", pause=pauses.append).page()
    assert len(pauses) == 5


def test_what_passes_is_asked_for_again(served: Serve) -> None:
    """Slowed down, cut off, hung up: the page comes in the end."""
    pauses: list[float] = []
    with served([Made("a", 1)], [SLOW_DOWN, CUT, CLOSED, SLOW_DOWN]):
        listing = Listing(Connection(), "data", "", "us-east-1", pause=pauses.append)
        assert parse_page(listing.page()).page.key(0) == b"a"
    assert len(pauses) == 4
    assert all(0 <= seconds <= 0.1 * 2**attempt for attempt, seconds in enumerate(pauses))


def test_what_does_not_pass_is_told(served: Serve) -> None:
    """After ten attempts, on one line."""
    with served([], [SLOW_DOWN] * 10), pytest.raises(AwsError, match=r"SlowDown: Please reduce") as caught:
        _listing().page()
    assert "\n" not in str(caught.value)


def test_processes_share_a_listing(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What two processes count comes to the whole, wherever the work was cut."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 40)
    objects = [Made(f"d/c{number % 7}/{number:05d}.jpg", number) for number in range(1500)]
    helped: list[int] = []
    original = listed.Helper.result

    def result(helper: Any) -> Any:
        helped.append(helper.status.objects)
        return original(helper)

    monkeypatch.setattr(listed.Helper, "result", result)
    monkeypatch.setattr("headrace.profiling.streams.PAGE_KEYS", 5)
    with served(objects, most=5) as server:
        slow = server.bucket.page

        def page(*args: Any) -> bytes:
            time.sleep(0.02)  # so that there is work left when the other process is there
            return slow(*args)

        monkeypatch.setattr(server.bucket.__class__, "page", lambda _self, *args: page(*args))
        counts, stretch = list_all(Connection(), "data", "d/", "us-east-1", processes=2)
    check(objects, counts, stretch, "d/")
    assert len(helped) == 1


def test_no_right_to_list_is_one_line(served: Serve, run: Run) -> None:
    """Exit code 2, and which permission is missing on what."""
    with served([], [DENIED]):
        outcome = run("s3://data/images/")
    assert (outcome.code, outcome.out) == (2, "")
    assert "s3:ListBucket on arn:aws:s3:::data is missing" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_no_right_in_the_helper_is_told_by_the_parent(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process hands its error over."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 10)
    objects = [Made(f"{number:05d}", 1) for number in range(3000)]
    with served(objects, most=5) as server:
        original = server.answer

        def answer(query: dict[str, str]) -> tuple[int, bytes]:
            time.sleep(0.01)
            return DENIED if len(server.requests) > 60 else original(query)

        monkeypatch.setattr(server, "answer", answer)
        with pytest.raises(AwsError, match="AccessDenied"):
            list_all(Connection(), "data", "", "us-east-1", processes=2)


def _slowed(server: ListingServer, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let each answer take so long, so that there is work left when a helper is there."""
    original = server.answer

    def answer(query: dict[str, str]) -> tuple[int, bytes]:
        time.sleep(seconds)
        return original(query)

    monkeypatch.setattr(server, "answer", answer)


def test_a_helper_looks_for_no_credentials(served: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile may ask for a code of a device: the one process that may ask a person is asked once."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 10)
    asked = tmp_path / "asked"
    answer = json.dumps({"Version": 1, "AccessKeyId": "asked", "SecretAccessKey": "x", "SessionToken": "t"})
    (tmp_path / "ask").write_text(f"echo >> {asked}; echo '{answer}'")
    (tmp_path / "config").write_text(f"[profile person]\ncredential_process = sh {tmp_path / 'ask'}\n")
    with served([Made(f"{number:05d}", 1) for number in range(1500)], most=5) as server:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_PROFILE", "person")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        _slowed(server, monkeypatch, 0.02)
        counts, _ = list_all(Connection(), "data", "", "us-east-1", processes=2)
    assert counts.files == 1500
    assert all("Credential=asked/" in each["Authorization"] for each in server.headers)
    assert asked.read_text() == "\n"


def test_a_helper_gets_fresh_credentials(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing may take longer than credentials are valid."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 10)

    class Renewing(Connection):
        """The main thread, which sends them to the helper, gets others each time."""

        count = 0

        def credentials(self) -> Credentials:
            is_main = threading.current_thread() is threading.main_thread()
            self.count += is_main
            return Credentials(access_key=f"key-{self.count}" if is_main else "own", secret_key="x", token=None)

    with served([Made(f"{number:05d}", 1) for number in range(2000)], most=5) as server:
        _slowed(server, monkeypatch, 0.03)
        list_all(Renewing(), "data", "", "us-east-1", processes=2)
    keys = {each["Authorization"].partition("Credential=")[2].partition("/")[0] for each in server.headers}
    assert "own" in keys
    assert len(keys) > 2


def test_a_helper_that_cannot_begin_is_told(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it could not, as where the environment's configuration went in the meantime."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 10)
    with served([Made(f"{number:05d}", 1) for number in range(3000)], most=5) as server:
        _slowed(server, monkeypatch, 0.2)
        connection = Connection()
        connection.client("s3")
        monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
        with pytest.raises(AwsError, match=r"no-such-profile\) could not be found"):
            list_all(connection, "data", "", "us-east-1", processes=2)


def test_a_helper_that_hangs_is_told(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a command that waits for ever."""
    monkeypatch.setattr(listed, "HELP_FROM_OBJECTS", 10)
    monkeypatch.setattr("headrace.profiling.helper.SILENT_SECONDS", 0.5)
    monkeypatch.setattr("headrace.profiling.helper._START", "import time; time.sleep(60)")
    with served([Made(f"{number:05d}", 1) for number in range(3000)], most=5) as server:
        _slowed(server, monkeypatch, 0.2)
        with pytest.raises(AwsError, match="was silent"):
            list_all(Connection(), "data", "", "us-east-1", processes=2)


@pytest.mark.skipif(
    not Path("/proc/thread-self/children").exists(), reason="this system does not tell the children of a process"
)
def test_ctrl_c_leaves_nothing_behind(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, no traceback, and no process of the command lives on."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    start = (
        "import headrace.profiling.listed as l; l.HELP_FROM_OBJECTS = 10\n"
        "from headrace.cli import main; import sys; sys.argv = ['headrace', 'profile', 's3://data/']; main()"
    )
    with served([Made(f"{number:06d}", 1) for number in range(4000)], most=2) as server:
        _slowed(server, monkeypatch, 0.05)
        command = subprocess.Popen([sys.executable, "-c", start], stderr=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + 30
        while len(_children(command.pid)) < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        helpers = _children(command.pid)
        os.killpg(command.pid, signal.SIGINT)
        _, err = command.communicate(timeout=30)
    assert helpers
    assert (command.returncode, err) == (130, b"")
    # one that was not begun with ends by itself, when it finds nobody at the other end
    deadline = time.monotonic() + 30
    while any(map(_lives, helpers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_lives, helpers))


def _lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has asked for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()] if path.exists() else []


def test_keys_cannot_command_a_terminal(served: Serve, run: Run) -> None:
    """What a key holds is shown without its control characters."""
    with served([Made("evil/\x1b]0;title\x07.jpg", 1), Made("line\nbreak.jpg", 1)]):
        outcome = run("s3://data/", "--no-contents")
    assert outcome.code == 0
    assert "V53: 2 files not for S3 File, S3 FastFile, FSx for Lustre, EFS" in outcome.out
    assert "\x1b]" not in outcome.out
    assert "\x07" not in outcome.out


def test_a_service_that_names_no_region_is_asked_in_ours(served: Serve) -> None:
    """Some services that are like S3 have none."""
    with served([]) as server:
        assert S3(Connection()).bucket_region("data") == "us-east-1"
        server.region = None
        assert S3(Connection("eu-west-1")).bucket_region("data") == "eu-west-1"


def test_a_small_prefix_is_listed_and_not_sampled(served: Serve) -> None:
    """Exact, whatever was asked for."""
    with served([Made(f"{number:04d}.jpg", 1) for number in range(300)]):
        profile = profile_sampled(Connection(), S3Location(bucket="data", prefix=""), lambda *_: None, looks=False)
    assert (profile.files, profile.sample_error) == (300, None)


def test_a_large_prefix_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made up of rounded parts is a profile that can be read again."""
    objects = [Made(f"c{number % 9}/{number:05d}.jpg", 100 + number % 50) for number in range(500)]
    made = Bucket(objects)

    class InMemory:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def page(self, after: str | None = None, token: str | None = None, most: int = 1000) -> bytes:
            return made.page("", after, token, most)

    monkeypatch.setattr("headrace.profiling.sampled.Listing", InMemory)
    monkeypatch.setattr("headrace.profiling.sampled.bucket_region", lambda *_: "us-east-1")
    monkeypatch.setattr("headrace.profiling.sampled.LISTED_BELOW", 100)
    monkeypatch.setattr("headrace.profiling.sampled.PAGE_KEYS", 10)
    monkeypatch.setattr("headrace.dataset.sampling.LEAST_WALKS", 3)
    monkeypatch.setattr("headrace.profiling.sampled.MORE_WALKS", 4)
    monkeypatch.setattr("headrace.profiling.sampled.MOST_RESTS", 6)
    told: list[tuple[int, float]] = []
    place = S3Location(bucket="data", prefix="")
    profile = profile_sampled(Connection("us-east-1"), place, lambda *each: told.append(each), looks=False, seed=5)
    error = profile.sample_error
    assert error is not None
    assert error.files_low <= 500 <= error.files_high
    assert error.files_low <= profile.files <= error.files_high
    assert profile.tree is None
    assert sum(each.files for each in profile.sizes) == profile.files
    assert from_plain(json.loads(json.dumps(to_plain(profile))), "profile.json") == profile
    # once walks are over, how many are left says how much is to come
    assert any(expected > 0 for _, expected in told)


@pytest.fixture
def bucket(aws_session: boto3.Session) -> str:
    """A bucket of the embedded AWS."""
    name = f"profile-{uuid4().hex[:12]}"
    aws_session.client("s3").create_bucket(Bucket=name)
    return name


def test_a_bucket_of_the_embedded_aws(
    bucket: str, aws_session: boto3.Session, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command: hostile keys, classes, first bytes; JSON that the advisor reads, and the screen."""
    s3 = aws_session.client("s3")
    keys = [key for key in HOSTILE if key.isprintable()]  # moto has no route for the others
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"\xff\xd8\xff\xe0" if key.endswith("jpg") else b"text")
    s3.put_object(Bucket=bucket, Key="data/cold.bin", Body=b"x", StorageClass="DEEP_ARCHIVE")
    s3.put_object(Bucket=bucket, Key="data/tiered.bin", Body=b"x", StorageClass="INTELLIGENT_TIERING")
    s3.put_object(Bucket=bucket, Key="data/folder/", Body=b"")
    outcome = run(f"s3://{bucket}/data/", "--json")
    assert outcome.code == 0, outcome.err
    path = tmp_path / "profile.json"
    path.write_text(outcome.out)
    profile = read_profile(path)
    assert (profile.files, profile.folder_markers, profile.region) == (len(keys) + 2, 1, "us-east-1")
    formats = {each.suffix: (each.files, each.content, each.is_container) for each in profile.formats}
    assert formats[".jpg"] == (1, "JPEG", False)
    assert formats[".tar.gz"] == (1, None, True)
    broken = {(each.rule_id, each.files): each for each in profile.unusable}
    assert broken[("V130", 1)].examples == ("data/same",)
    assert broken[("V27", 1)].examples == ("data/cold.bin",)
    assert "S3 Pipe" in broken[("V27", 1)].roads
    assert [each.examples for each in profile.unusable if each.rule_id == "V53"] == [("data/a//b",)]
    assert any("INTELLIGENT_TIERING" in each for each in profile.notes)
    monkeypatch.setenv("COLUMNS", "100")
    screen = run(f"s3://{bucket}/data/")
    for part in ("9 files", "JPEG", "V53", "V130", "headrace advise --profile", "DEEP_ARCHIVE"):
        assert part in screen.out
    assert max(map(len, screen.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s3://no-such-bucket-there-is/x/",), "no such bucket"),
        (("s3://{bucket}/none/",), "no object lies below it"),
        (("s3://BAD/",), "allowed: for the bucket's name"),
        (("s3://{bucket}/", "--where", "efs"), "--where is given beside an s3:// URI"),
        (("s3://{bucket}/", "--sample", "--inventory", "s3://x/y"), "--sample is given beside --inventory"),
        (("s3://{bucket}/", "--inventory", "manifest.json"), "--inventory is 'manifest.json'"),
        (("s3://{bucket}/", "--inventory", "s3://{bucket}/none.json"), "no object s3://"),
        (("s3://{bucket}/", "--inventory", "s3://{bucket}/"), "--inventory is 's3://"),
        (("gs://bucket/x",), "LOCATION is 'gs://bucket/x'"),
        (("",), "LOCATION is ''"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(bucket: str, run: Run, arguments: tuple[str, ...], message: str) -> None:
    """Nothing there, no such bucket, options that do not go together."""
    outcome = run(*(each.format(bucket=bucket) for each in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, StorageClass"
ROWS = (
    ("data/a b.jpg", "true", "false", 10, "STANDARD"),
    ("data/é/c.jpg", "true", "false", 20, "GLACIER"),
    ("data/c/old.jpg", "false", "false", 40, "STANDARD"),
    ("data/c/gone.jpg", "true", "true", "", ""),
    ("other/x.jpg", "true", "false", 80, "STANDARD"),
)


def _csv_file(bucket: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    for key, is_latest, is_marker, size, storage_class in ROWS:
        writer.writerow((bucket, quote_plus(key, safe="/"), "v", is_latest, is_marker, size, storage_class))
    rows = text.getvalue().encode()
    return gzip.compress(rows[:50]) + gzip.compress(rows[50:])  # two streams in one file


def _parquet_file(bucket: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys, latest, markers, sizes, classes = zip(*ROWS, strict=True)
    table = pa.table(
        {
            "bucket": [bucket] * len(ROWS),
            "key": list(keys),
            "is_latest": [each == "true" for each in latest],
            "is_delete_marker": [each == "true" for each in markers],
            "size": [each or None for each in sizes],
            "storage_class": [each or None for each in classes],
        }
    )
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=2)
    return target.getvalue()


def _put_inventory(s3: Any, bucket: str, body: bytes, **members: Any) -> str:
    s3.put_object(Bucket=bucket, Key="inventory/data/part-1", Body=body)
    manifest = {
        "sourceBucket": bucket,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": [{"key": "inventory/data/part-1", "MD5checksum": hashlib.md5(body).hexdigest()}],  # noqa: S324
    } | members
    s3.put_object(Bucket=bucket, Key="inventory/manifest.json", Body=json.dumps(manifest).encode())
    return f"s3://{bucket}/inventory/manifest.json"


PARQUET_SCHEMA = (
    "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); optional boolean is_latest; "
    "optional boolean is_delete_marker; optional int64 size; optional binary storage_class (UTF8); }"
)


@pytest.mark.parametrize("file_format", ["CSV", "Parquet"])
def test_an_inventory_is_read(bucket: str, aws_session: boto3.Session, run: Run, file_format: str) -> None:
    """Latest versions below the prefix alone, with their classes; and it says of which day it is."""
    is_csv = file_format == "CSV"
    uri = _put_inventory(
        aws_session.client("s3"),
        bucket,
        _csv_file(bucket) if is_csv else _parquet_file(bucket),
        fileFormat=file_format,
        fileSchema=SCHEMA if is_csv else PARQUET_SCHEMA,
    )
    outcome = run(f"s3://{bucket}/data/", "--inventory", uri, "--json", "--no-contents")
    assert outcome.code == 0, outcome.err
    profile = json.loads(outcome.out)
    assert (profile["files"], profile["size_bytes"], profile["tree"]["folders"]) == (2, 30, 2)
    assert {each["storage_class"]: each["files"] for each in profile["storage_classes"]} == {
        "STANDARD": 1,
        "GLACIER": 1,
    }
    assert profile["unusable"][0]["examples"] == ["data/é/c.jpg"]
    assert "2018-01-03" in profile["notes"][0]


def _row(key: str, size: str) -> bytes:
    return gzip.compress(f'"b","{key}","v","true","false","{size}","STANDARD"\n'.encode())


def _parquet(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


IS_PARQUET = {"fileFormat": "Parquet", "fileSchema": PARQUET_SCHEMA}


@pytest.mark.parametrize(
    ("members", "body", "message"),
    [
        ({"fileFormat": "ORC"}, b"", "ORC is not read"),
        ({"fileSchema": "Bucket, Key"}, b"", "no column 'size'"),
        ({"sourceBucket": "another"}, b"", "of bucket 'another'"),
        ({"files": [{"key": "x"}]}, b"", "files.0 has no key and MD5checksum"),
        ({"files": [{"key": "inventory/data/part-1", "MD5checksum": "0" * 32}]}, None, "its MD5 is"),
        ({}, b"no gzip at all", "no file of an S3 Inventory"),
        ({}, gzip.compress(b'"b","k"\n'), "too few columns"),
        ({}, gzip.compress(b"x" * 100)[:-12], "cut short"),
        ({"fileFormat": "Parquet"}, b"PAR1 or not", "no file of an S3 Inventory"),
        ({}, _row("data/k", "1" * 23), "is no size"),
        ({}, _row("data/k", "-5"), "'-5' is no size"),
        ({}, _row("data/" + "k" * 200_000, "1"), "field larger than field limit"),
        ({}, _row("data/%FF%FE", "1"), "can't decode byte 0xff"),
        (IS_PARQUET, _parquet(key=["data/k"]), "it has no column size"),
        (IS_PARQUET, _parquet(key=["data/k"], size=["many"]), "Failed to parse string: 'many'"),
        (IS_PARQUET, _parquet(key=["data/k"], size=[-5]), "-5 or -5 is no size"),
        (IS_PARQUET, _parquet(key=[b"data/\xff\xfe"], size=[1]), "Invalid UTF8"),
        (IS_PARQUET, _parquet(key=["data/k"], size=[1], is_latest=["yes"]), "no file of an S3 Inventory"),
    ],
)
def test_an_inventory_that_is_none(
    bucket: str, aws_session: boto3.Session, run: Run, members: dict[str, Any], body: bytes | None, message: str
) -> None:
    """One line, exit code 2, nothing printed."""
    uri = _put_inventory(aws_session.client("s3"), bucket, _csv_file(bucket) if body is None else body, **members)
    outcome = run(f"s3://{bucket}/data/", "--inventory", uri)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
