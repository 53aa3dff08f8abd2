"""Manifests and the objects that they name, on the embedded AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from click.testing import Result
from headrace.aws import Connection
from headrace.aws.objects import Objects
from headrace.cli.manifest import app
from headrace.errors import InvalidInput
from headrace.manifests import (
    AugmentedManifest,
    Lookup,
    ManifestReport,
    PlainManifest,
    check_manifest,
    objects,
    references,
)
from headrace.rules.manifest_mistakes import Mistake
from typer.testing import CliRunner

# no line breaks: the embedded AWS does not take them in keys
HOSTILE = ['a "b".jpg', "é/漢😀.jpg", "a+b%20c.jpg", "<&>.jpg"]


@pytest.fixture
def s3(aws_session: boto3.Session) -> Any:
    """A client of the embedded AWS, in the Region of the tests' environment."""
    return aws_session.client("s3")


@pytest.fixture
def lake(s3: Any) -> str:
    """A bucket with some objects below ``data/`` and one beside it."""
    bucket = f"lake-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    for key in ("data/", "data/1.jpg", "data/2.jpg", "data/2.txt", "database.jpg", *(f"data/{key}" for key in HOSTILE)):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


def run(*arguments: str) -> Result:
    """One call of the command."""
    return CliRunner().invoke(app, list(arguments))


def checked(path: Path, *elements: object, **lookup: Any) -> ManifestReport:
    """The report on a manifest of these elements, whose objects are looked up."""
    path.write_text(json.dumps(elements))
    connection = Connection()
    there = Lookup(**({"store": Objects(connection), "region": connection.region} | lookup))
    return check_manifest(path, PlainManifest(), name="m", lookup=there)


def seen(report: ManifestReport) -> list[tuple[Mistake, list[str | None]]]:
    """Each mistake with the values of its places."""
    return [(tally.mistake, [place.value for place in tally.places]) for _, tally in report.findings]


def test_a_prefix_becomes_a_manifest_in_s3_that_passes_its_check(s3: Any, lake: str) -> None:
    """Keys of any kind, without the folder's marker and what only begins alike."""
    uri = f"s3://{lake}/manifests/x.manifest"
    made = run("create", uri, "--prefix", f"s3://{lake}/data/", "--suffix", ".jpg")
    assert made.exit_code == 0, made.exception
    content = json.loads(s3.get_object(Bucket=lake, Key="manifests/x.manifest")["Body"].read())
    assert content[0] == {"prefix": f"s3://{lake}/data/"}
    assert sorted(content[1:]) == sorted(["1.jpg", "2.jpg", *HOSTILE])
    result = run("check", uri)
    assert result.exit_code == 0, result.output
    assert "6 objects named, looked up in S3: nothing that SageMaker would choke on" in result.stdout


def test_nothing_is_written_to_s3_after_a_mistake(s3: Any, lake: str) -> None:
    """A key that SageMaker cannot download, and a prefix without objects."""
    s3.put_object(Bucket=lake, Key="data/x//y.jpg", Body=b"x")
    for prefix in ("data/", "nothing/"):
        result = run("create", f"s3://{lake}/manifests/x.manifest", "--prefix", f"s3://{lake}/{prefix}")
        assert isinstance(result.exception, InvalidInput)
    assert "Contents" not in s3.list_objects_v2(Bucket=lake, Prefix="manifests/")


@pytest.mark.parametrize("listed_per_asked", [80, 0])
def test_missing_objects_are_found(
    lake: str, listed_per_asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one listing; or one by one, where it would be longer than the manifest is worth."""
    asked: list[str] = []
    exists = Objects.object_exists
    monkeypatch.setattr(objects, "LISTED_PER_ASKED", listed_per_asked)
    monkeypatch.setattr(objects, "_PAGE_KEYS", 1000 if listed_per_asked else 1)
    monkeypatch.setattr(Objects, "object_exists", lambda *given: asked.append(given[2]) or exists(*given))
    report = checked(tmp_path / "m", {"prefix": f"s3://{lake}/data/"}, "9.jpg", "1.jpg", *HOSTILE, "0/1.jpg")
    assert seen(report) == [(Mistake.MISSING_OBJECT, [f"s3://{lake}/data/9.jpg", f"s3://{lake}/data/0/1.jpg"])]
    assert [place.number for _, tally in report.findings for place in tally.places] == [1, 7]
    assert len(asked) == (0 if listed_per_asked else 7)


def test_references_into_several_buckets_are_looked_up(s3: Any, lake: str, tmp_path: Path) -> None:
    """An augmented manifest names whole URIs."""
    other = f"other-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=other, Key="mask.png", Body=b"x")
    path = tmp_path / "m"
    uris = [(f"s3://{lake}/data/1.jpg", f"s3://{other}/mask.png"), (f"s3://{lake}/data/3.jpg", f"s3://{other}/1.png")]
    path.write_text("".join(json.dumps({"source-ref": one, "mask-ref": two}) + "\n" for one, two in uris))
    connection = Connection()
    lookup = Lookup(store=Objects(connection), region=connection.region)
    report = check_manifest(path, AugmentedManifest(), name="m", lookup=lookup)
    ((_, tally),) = report.findings
    assert (tally.mistake, tally.total, {place.number for place in tally.places}) == (Mistake.MISSING_OBJECT, 2, {2})
    names_one = check_manifest(path, AugmentedManifest(("mask-ref",)), name="m", lookup=lookup)
    assert seen(names_one) == [(Mistake.MISSING_OBJECT, [f"s3://{other}/1.png"])]


def test_a_bucket_that_is_missing_is_one_mistake(lake: str, tmp_path: Path) -> None:
    """Not one for each object; the manifest's own bucket is looked at, too."""
    missing = f"missing-{uuid4().hex[:12]}"
    report = checked(tmp_path / "m", {"prefix": f"s3://{missing}/"}, "1", "2", manifest_bucket=lake)
    assert seen(report) == [(Mistake.MISSING_BUCKET, [missing])]


def test_a_bucket_of_another_region_is_found(s3: Any, lake: str, tmp_path: Path) -> None:
    """The objects are there, but a job would not read them."""
    far = f"far-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=far, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=far, Key="1", Body=b"x")
    assert [mistake for mistake, _ in seen(checked(tmp_path / "m", {"prefix": f"s3://{far}/"}, "1"))] == [
        Mistake.OTHER_REGION
    ]
    report = checked(tmp_path / "m", {"prefix": f"s3://{lake}/data/"}, "1.jpg", manifest_bucket=far)
    assert [mistake for mistake, _ in seen(report)] == [Mistake.OTHER_REGION]


def test_without_a_usable_prefix_nothing_is_looked_up(s3: Any, tmp_path: Path) -> None:
    """Entries are still judged."""
    report = checked(tmp_path / "m", {"prefix": "lake/"}, "a//b")
    assert [mistake for mistake, _ in seen(report)] == [Mistake.PREFIX_IS_NO_URI, Mistake.EMPTY_FOLDER]


def test_only_some_buckets_are_looked_up(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest cannot make the check ask for buckets without end; it says what it left out."""
    monkeypatch.setattr(references, "MAX_BUCKETS", 1)
    path = tmp_path / "m"
    path.write_text("".join(f'{{"a-ref": "s3://{bucket}/data/1.jpg"}}\n' for bucket in (lake, "elsewhere", "nowhere")))
    connection = Connection()
    lookup = Lookup(store=Objects(connection), region=connection.region)
    report = check_manifest(path, AugmentedManifest(), name="m", lookup=lookup)
    assert seen(report) == [(Mistake.NOT_LOOKED_UP, ["2 objects in further buckets, the first elsewhere"])]


@pytest.mark.parametrize("uri", ["s3://{lake}/none.manifest", "s3://missing-{lake}/x", "s3://{lake}"])
def test_a_manifest_that_is_not_in_s3_is_the_users_to_mend(lake: str, uri: str) -> None:
    """One line, exit code 2."""
    assert isinstance(run("check", uri.format(lake=lake)).exception, InvalidInput)
