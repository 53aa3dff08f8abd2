"""The figures: shapes of instance types and prices, as shipped and as read from a file of anywhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from headrace.errors import InvalidInput
from headrace.figures.instance_types import (
    InstanceType,
    all_instance_types,
    from_description,
    has_local_storage,
    instance_type,
)
from headrace.figures.prices import Item, Price, Prices, prices
from headrace.figures.snapshot import Origin, Snapshot, read_snapshot, to_plain, to_text
from headrace.service_model import installed
from hypothesis import given
from hypothesis import strategies as st
from moto.ec2.models.instance_types import INSTANCE_TYPES

AMOUNTS = st.floats(0, 1e6, allow_nan=False)
MAYBE = st.none() | AMOUNTS
ORIGINS = st.builds(Origin, source=st.text(min_size=1).filter(str.strip), date=st.dates().map(str))


def shapes(name: str) -> st.SearchStrategy[InstanceType]:
    """Any shape of this name."""
    return st.builds(
        InstanceType,
        name=st.just(name),
        vcpus=st.integers(0, 1000),
        memory_gib=AMOUNTS,
        accelerators=st.integers(0, 16),
        accelerator=st.none() | st.text(),
        network_gbit_per_second=MAYBE,
        network_burst_gbit_per_second=MAYBE,
        nvme_gb=st.integers(0, 10**6),
        ebs_mb_per_second=MAYBE,
        ebs_burst_mb_per_second=MAYBE,
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any snapshot."""
    names = draw(st.lists(st.from_regex(r"ml\.[a-z0-9]{2,4}\.[a-z0-9]{2,9}", fullmatch=True), unique=True, max_size=4))
    found = {}
    for region in draw(st.sets(st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"]))):
        of = {}
        for item in draw(st.sets(st.sampled_from(list(Item)), min_size=1)):
            kinds = {Item.TRAINING_HOUR: "ml.m5.large", Item.LUSTRE_PERSISTENT_2_GB_MONTH: "125"}
            origin = draw(ORIGINS)
            of[item, kinds.get(item, "")] = Price(usd=draw(AMOUNTS), source=origin.source, date=origin.date)
        found[region] = Prices(region=region, of=of)
    return Snapshot(
        date=str(draw(st.dates())),
        instance_types={each: draw(shapes(each)) for each in names},
        origins={each: draw(ORIGINS) for each in names},
        prices=found,
    )


def written(path: Path, plain: object) -> Path:
    """The file, with this in it."""
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path


def test_every_training_type_has_its_shape_but_the_one_that_no_source_describes() -> None:
    """SageMaker's API names them; us-east-1 has no GB200."""
    types = set(installed("sagemaker").shapes["TrainingInstanceType"]["enum"])
    assert set(all_instance_types()) <= types
    assert types - set(all_instance_types()) == {"ml.p6e-gb200.36xlarge"}


def test_the_shipped_shapes_are_those_that_ec2_describes() -> None:
    """Read once more, by the code that an update reads with; the types that EC2 no longer lists keep an older date."""
    snapshot = read_snapshot()
    described = {f"ml.{name}": {"InstanceType": name, **each} for name, each in INSTANCE_TYPES.items()}
    listed = {name: each for name, each in snapshot.instance_types.items() if name in described}
    assert {name: from_description(described[name]) for name in listed} == listed
    older = {name for name in snapshot.instance_types if name not in described}
    assert {name.split(".")[1] for name in older} == {"p2", "p3"}
    assert max(snapshot.origins[name].date for name in older) < min(snapshot.origins[name].date for name in listed)


@pytest.mark.parametrize(
    ("name", "vcpus", "accelerators", "accelerator", "network", "burst", "nvme_gb", "ebs", "ebs_burst"),
    [
        ("ml.m5.large", 2, 0, None, 0.75, 10, 0, 81.25, 593.75),
        ("ml.g5.2xlarge", 8, 1, "NVIDIA A10G", 5, 10, 450, 106.25, 437.5),
        ("ml.p3.2xlarge", 8, 1, "NVIDIA V100", 2.5, 10, 0, 218.75, 218.75),
        # four cards of 100 Gbit/s
        ("ml.p4d.24xlarge", 96, 8, "NVIDIA A100", 400, 400, 8000, 2375, 2375),
        # four cards of 400 Gbit/s, which the instance has no more than together
        ("ml.g6e.48xlarge", 192, 8, "NVIDIA L40S", 400, 400, 7600, 7500, 7500),
        ("ml.trn1.32xlarge", 128, 16, "AWS Trainium", 800, 800, 7600, 10_000, 10_000),
    ],
)
def test_shapes_that_people_know(
    name: str,
    vcpus: int,
    accelerators: int,
    accelerator: str | None,
    network: float,
    burst: float,
    nvme_gb: int,
    ebs: float,
    ebs_burst: float,
) -> None:
    """As the Amazon EC2 Instance Types Guide prints them."""
    found = instance_type(name)
    assert (found.vcpus, found.accelerators, found.accelerator) == (vcpus, accelerators, accelerator)
    assert (found.network_gbit_per_second, found.network_burst_gbit_per_second) == (network, burst)
    assert (found.nvme_gb, found.ebs_mb_per_second, found.ebs_burst_mb_per_second) == (nvme_gb, ebs, ebs_burst)


def test_what_a_description_does_not_say_is_not_known() -> None:
    """A network of two cards of which one has no figure has none; storage that may not be NVMe is none."""
    found = from_description(
        {
            "InstanceType": "x9.large",
            "VCpuInfo": {"DefaultVCpus": 2},
            "MemoryInfo": {"SizeInMiB": 4096},
            "NetworkInfo": {"NetworkCards": [{"BaselineBandwidthInGbps": 5.0}, {}]},
            "InstanceStorageInfo": {"NvmeSupport": "unsupported", "TotalSizeInGB": 900},
        }
    )
    assert found == InstanceType(
        name="ml.x9.large",
        vcpus=2,
        memory_gib=4,
        accelerators=0,
        accelerator=None,
        network_gbit_per_second=None,
        network_burst_gbit_per_second=None,
        nvme_gb=0,
        ebs_mb_per_second=None,
        ebs_burst_mb_per_second=None,
    )


@pytest.mark.parametrize(
    ("performance", "cards", "gbit_per_second"),
    [
        ("Up to 10 Gigabit", [2.5], 2.5),
        ("Up to 25 Gigabit", [12.5, 12.5], 25),
        ("10 Gigabit", [10], 10),
        ("12.5 Gigabit", [12.5], 12.5),
        ("4x 100 Gigabit", [100, 100, 100, 100], 400),
        ("200 Gigabit", [200, 200], 200),
        # EC2 promises more than its cards have: what they have is told
        ("3200 Gigabit", [200] * 8, 1600),
        ("High", [1.25], 1.25),
        ("10 Gigabit", [], None),
    ],
)
def test_a_network_is_its_cards_and_no_more_than_is_promised(
    performance: str, cards: list[float], gbit_per_second: float | None
) -> None:
    """The lower of the two, where both are told."""
    found = from_description(
        {
            "InstanceType": "x9.large",
            "VCpuInfo": {"DefaultVCpus": 2},
            "MemoryInfo": {"SizeInMiB": 4096},
            "NetworkInfo": {
                "NetworkPerformance": performance,
                "NetworkCards": [{"BaselineBandwidthInGbps": each} for each in cards],
            },
        }
    )
    assert found.network_gbit_per_second == gbit_per_second
    assert found.network_burst_gbit_per_second is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ml.g5.2xlrge", "ml.g5.2xlarge"),
        ("g5.2xlarge", "ml.g5.2xlarge"),
        ("ML.P4D.24XLARGE", "ml.p4d.24xlarge"),
        ("ml.m5.3xlarge", "ml.m5.xlarge"),
    ],
)
def test_an_unknown_type_is_told_the_nearest_names(name: str, nearest: str) -> None:
    """One line: field, value, allowed, fix."""
    with pytest.raises(InvalidInput) as caught:
        instance_type(name)
    (line,) = caught.value.problems
    assert line.startswith(f"instance_type is {name!r}, ")
    assert "; allowed: " in line
    assert nearest in line.split("; allowed: ")[1].split("; fix: ")[0]
    assert "; fix: " in line


def test_a_name_like_none_is_told_where_the_names_are() -> None:
    """There is no nearest one."""
    with pytest.raises(InvalidInput, match="headrace prices show"):
        instance_type("?")


def test_local_storage_is_a_matter_of_the_family() -> None:
    """A size that is newer than the figures counts too."""
    assert has_local_storage("ml.g5.96xlarge")
    assert has_local_storage("ml.p6e-gb200.36xlarge")
    assert not has_local_storage("ml.m5.96xlarge")


LOOKED_UP = re.compile(r"https://[\w.-]+/\S+|\b[\w-]+/[\w.-]+@[0-9a-f]{40}:\S+")


def test_every_shipped_price_says_where_it_is_from_and_as_of_when() -> None:
    """A reader can look each up: at an address that does not change, or in a file of a repository as of a commit."""
    snapshot = read_snapshot()
    for each in snapshot.prices.values():
        for price in each.of.values():
            assert price.usd > 0
            assert LOOKED_UP.search(price.source), price.source
            assert "/current/" not in price.source
            assert "2022" <= price.date <= snapshot.date
    for origin in snapshot.origins.values():
        assert origin.source
        assert origin.date <= snapshot.date


def test_prices_of_training_are_of_types_that_have_a_shape() -> None:
    """The two are used together."""
    named = {detail for item, detail in prices("us-east-1").of if item is Item.TRAINING_HOUR}
    assert named <= set(all_instance_types())


def test_a_price_that_is_not_known_is_none() -> None:
    """Neither a guess nor an error: of an item, of a kind of it, of a Region."""
    assert prices("us-east-1").usd(Item.S3_GET_1000) == 0.0004
    assert prices("us-east-1").usd(Item.TRAINING_HOUR, "ml.p6e-gb200.36xlarge") is None
    nowhere = prices("eu-west-9")
    assert (nowhere.region, nowhere.usd(Item.S3_GET_1000)) == ("eu-west-9", None)


@given(snapshots())
def test_what_is_written_is_read_again(snapshot: Snapshot) -> None:
    """Byte for byte the second time."""
    from headrace.figures.snapshot_reading import from_plain

    text = to_text(to_plain(snapshot))
    again = from_plain(json.loads(text), "prices.json")
    assert again == snapshot
    assert to_text(to_plain(again)) == text


def test_the_shipped_file_is_as_an_update_writes_it() -> None:
    """So that a maintainer's update shows what changed, and nothing else."""
    import headrace.figures.snapshot as room

    text = (Path(room.__file__).parent / "snapshot.json").read_text(encoding="utf-8")
    assert to_text(to_plain(read_snapshot())) == text


SHAPE: dict[str, Any] = {
    "vcpus": 2,
    "memory_gib": 8,
    "accelerators": 0,
    "accelerator": None,
    "network_gbit_per_second": 0.75,
    "network_burst_gbit_per_second": 10,
    "nvme_gb": 0,
    "ebs_mb_per_second": 81.25,
    "ebs_burst_mb_per_second": None,
}
SHAPES = {"source": "a source", "date": "2026-11-26", "types": {"ml.m5.large": SHAPE}}
PRICES = {"region": "us-east-1", "source": "a source", "date": "2026-11", "usd_per": {"s3_get_1000": 0.0004}}
RIGHT: dict[str, Any] = {"format_version": 1, "date": "2026-11-26", "instance_types": [SHAPES], "prices": [PRICES]}


def test_a_file_replaces_what_is_shipped(tmp_path: Path) -> None:
    """All of it: figures of two dates would not be told apart."""
    snapshot = read_snapshot(written(tmp_path / "prices.json", RIGHT))
    assert list(all_instance_types(snapshot)) == ["ml.m5.large"]
    assert prices("us-east-1", snapshot).usd(Item.S3_GET_1000) == 0.0004
    assert prices("us-east-1", snapshot).usd(Item.S3_STANDARD_GB_MONTH) is None
    with pytest.raises(InvalidInput):
        instance_type("ml.g5.xlarge", snapshot)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"format_version": 2}, ["format_version is 2; allowed: 1; "]),
        ({"date": "yesterday"}, ["date is 'yesterday'; allowed: a date such as 2026-11-26"]),
        ({"date": "2026-02-30"}, ["date is '2026-02-30'"]),
        ({"date": 20261126}, ["date is 20261126"]),
        ({"instance_types": None, "prices": {}}, ["instance_types is None", "prices is {}"]),
        ({"prices": ["?"]}, ["prices.0 is '?'"]),
        ({"prices": [PRICES | {"source": " "}]}, ["prices.0.source is ' '"]),
        ({"prices": [PRICES | {"region": "Virginia"}]}, ["prices.0.region is 'Virginia'"]),
        ({"prices": [PRICES | {"usd_per": 3}]}, ["prices.0.usd_per is 3"]),
        ({"prices": [PRICES | {"usd_per": {"gold": 3}}]}, ["prices.0.usd_per.gold is 3; allowed: one of "]),
        ({"prices": [PRICES | {"usd_per": {"s3_get_1000": -1}}]}, ["prices.0.usd_per.s3_get_1000 is -1"]),
        ({"prices": [PRICES | {"usd_per": {"s3_get_1000": True}}]}, ["prices.0.usd_per.s3_get_1000 is True"]),
        ({"prices": [PRICES | {"usd_per": {"s3_get_1000": float("nan")}}]}, ["prices.0.usd_per.s3_get_1000 is nan"]),
        ({"prices": [PRICES | {"usd_per": {"s3_get_1000": 10**400}}]}, ["prices.0.usd_per.s3_get_1000 is 1000"]),
        ({"prices": [PRICES | {"usd_per": {"s3_get_1000": {"a": 1}}}]}, ["allowed: one price"]),
        ({"prices": [PRICES | {"usd_per": {"training_hour": 1}}]}, ["allowed: a price for each kind of it"]),
        (
            {"prices": [PRICES | {"usd_per": {"training_hour": {"ml.m5.large": "1"}}}]},
            ["prices.0.usd_per.training_hour.ml.m5.large is '1'"],
        ),
        (
            {"prices": [PRICES | {"usd_per": {"training_hour": {"not-a-type": 1}}}]},
            ["prices.0.usd_per.training_hour.not-a-type is 'not-a-type'; allowed: kinds such as ml.m5.large"],
        ),
        (
            {"prices": [PRICES | {"usd_per": {"lustre_persistent_2_gb_month": {"lots": 2}}}]},
            ["prices.0.usd_per.lustre_persistent_2_gb_month.lots is 'lots'; allowed: the kinds 125, 250, 500, 1000"],
        ),
        ({"prices": [PRICES | {"usd_per": {"x" * 5000: 3}}]}, [f"prices.0.usd_per.{'x' * 60}… is 3"]),
        (
            {"prices": [PRICES | {"usd_per": {"training_hour": {"x" * 5000: 3}}}]},
            [f"prices.0.usd_per.training_hour.{'x' * 60}… is '{'x' * 59}…; allowed: kinds such as ml.m5.large"],
        ),
        (
            {"instance_types": [SHAPES | {"types": {"x" * 5000: SHAPE}}]},
            [f"instance_types.0.types.{'x' * 60}… is '{'x' * 59}…"],
        ),
        ({"format_version": "x" * 5000}, [f"format_version is '{'x' * 59}…; allowed: 1; "]),
        ({"prices": [PRICES, PRICES]}, ["prices.1.usd_per.s3_get_1000 is 0.0004; allowed: one price for it"]),
        ({"instance_types": [SHAPES, SHAPES]}, ["instance_types.1.types.ml.m5.large is 'ml.m5.large'"]),
        ({"instance_types": [SHAPES | {"types": {"m5": SHAPE}}]}, ["instance_types.0.types.m5 is 'm5'"]),
        ({"instance_types": [SHAPES | {"types": {"ml.m5.large": {"vcpus": 2}}}]}, ["allowed: an object with "]),
        (
            {"instance_types": [SHAPES | {"types": {"ml.m5.large": SHAPE | {"vcpus": 1.5, "accelerator": 1}}}]},
            ["types.ml.m5.large.vcpus is 1.5", "types.ml.m5.large.accelerator is 1; allowed: a text or null"],
        ),
    ],
)
def test_a_wrong_file_is_refused_with_every_mistake(tmp_path: Path, change: dict[str, Any], lines: list[str]) -> None:
    """Each on a line of its own: file, field, value, allowed, fix."""
    path = written(tmp_path / "prices.json", RIGHT | change)
    with pytest.raises(InvalidInput) as caught:
        read_snapshot(path)
    assert len(caught.value.problems) == len(lines)
    for problem, line in zip(caught.value.problems, lines, strict=True):
        assert problem.startswith(f"{path}: ")
        assert line in problem
        assert "; fix: " in problem
        assert len(problem) < 1000


def test_a_file_of_nothing_but_mistakes_is_answered_with_twenty_of_them(tmp_path: Path) -> None:
    """A terminal is no place for a thousand lines."""
    path = written(tmp_path / "prices.json", RIGHT | {"prices": [PRICES | {"region": "?"}] * 500})
    with pytest.raises(InvalidInput) as caught:
        read_snapshot(path)
    assert len(caught.value.problems) == 21
    assert "480 further mistakes" in caught.value.problems[-1]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"date": "' + "x" * (17 << 20)])
def test_what_is_no_snapshot_is_told_so_in_one_line(tmp_path: Path, text: str) -> None:
    """Empty, broken, deep or huge."""
    path = tmp_path / "prices.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_snapshot(path)
    (line,) = caught.value.problems
    assert line.startswith(f"{path}: not a snapshot of prices")
    assert "headrace prices update" in line


def test_a_file_that_is_not_there_is_told_how_to_make_it(tmp_path: Path) -> None:
    """And a directory is no file."""
    with pytest.raises(InvalidInput, match="no such file; fix: make it with: headrace prices update --output "):
        read_snapshot(tmp_path / "prices.json")
    with pytest.raises(InvalidInput, match="not a snapshot of prices"):
        read_snapshot(tmp_path)


def test_a_network_in_mb_is_an_eighth_of_its_gbit() -> None:
    """None stays None."""
    found = instance_type("ml.m5.large")
    assert found.network_mb_per_second == 93.75
    assert replace(found, network_gbit_per_second=None).network_mb_per_second is None
