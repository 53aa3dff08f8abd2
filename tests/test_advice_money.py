"""The bill and the clock by hand: round rates, round prices, and every figure as it comes out on paper."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from headrace.advisor.plans import Plan, plan
from headrace.advisor.question import Question
from headrace.advisor.reading import written_seconds
from headrace.advisor.span import exactly
from headrace.advisor.speeds import Speeds
from headrace.advisor.variants import EfsMode, LustreState, Variant
from headrace.dataset.profile import Profile, Where, profile_of_sizes
from headrace.figures.prices import Item, Price, Prices
from headrace.roads import EFS, LUSTRE, S3_FAST_FILE, S3_FILE, S3_PIPE

from tests.advice_questions import question

HOUR, MONTH_HOURS = 3600, 730
ROUND = {
    "starting_seconds": 100,
    "warm_starting_seconds": 5,
    "job_overhead_seconds": 10,
    "image_pull_mb_per_second": 55,
    "script_start_seconds": 20,
    "compute_spread": 1,
    "upload_mb_per_second": 100,
    "s3_list_objects_per_second": 5000,
    "s3_small_objects_per_second": 100,
    "fast_file_file_seconds": 0.05,
    "file_mode_mb_per_second": 200,
    "fast_file_mb_per_second": 400,
    "fast_file_stream_mb_per_second": 100,
    "pipe_mb_per_second": 250,
    "ebs_volume_mb_per_second": 200,
    "ebs_volume_reads_per_second": 1000,
    "nvme_mb_per_second": 1000,
    "nvme_reads_per_second": 10_000,
    "mount_seconds": 30,
    "walk_files_per_second": 10_000,
    "lustre_create_seconds": 500,
    "lustre_delete_seconds": 200,
    "lustre_import_objects_per_second": 500,
    "lustre_read_mb_per_second_per_tib": 256,
    "lustre_content_mb_per_second_per_tib": 128,
    "lustre_file_seconds": 0.004,
    "lustre_stream_mb_per_second": 500,
    "lustre_cold_file_seconds": 0.16,
    "lustre_cold_stream_mb_per_second": 50,
    "efs_file_seconds": 0.008,
    "efs_bursting_read_mb_per_second": 300,
    "efs_bursting_baseline_mb_per_second_per_tib": 150,
    "efs_bursting_credit_gb": 6000,
    "efs_client_mb_per_second": 500,
    "efs_elastic_client_mb_per_second": 1500,
    "efs_load_files_per_second": 1000,
    "efs_load_mb_per_second": 100,
    "pack_files_per_second": 1000,
    "pack_mb_per_second": 100,
    "nvme_drive_gb": 1000,
    "ebs_burst_seconds": 1800,
    "measured_vcpus": 8,
    "efs_reads_count_as": 3,
    "efs_included_mb_per_second_per_tib": 50,
    "efs_bursting_most_mb_per_second": 3000,
    "efs_provisioned_most_mb_per_second": 3000,
    "efs_elastic_most_mb_per_second": 20_000,
    "efs_provisioned_least_hours": 24,
    "image_gb": 5.5,
    "page_cache_share": 0.8,
    "small_file_mb": 50,
    "shard_mb": 150,
}
USD = {
    (Item.TRAINING_HOUR, "ml.p3.2xlarge"): 3.6,
    (Item.TRAINING_HOUR, "ml.m5.large"): 0.36,
    (Item.TRAINING_HOUR, "ml.m5.xlarge"): 0.72,
    (Item.TRAINING_HOUR, "ml.m5.4xlarge"): 1.8,
    (Item.ML_VOLUME_GB_MONTH, ""): 0.146,
    (Item.S3_GET_1000, ""): 0.001,
    (Item.S3_PUT_LIST_1000, ""): 0.01,
    (Item.S3_STANDARD_GB_MONTH, ""): 0.02,
    (Item.LUSTRE_SCRATCH_2_GB_MONTH, ""): 0.146,
    (Item.EFS_STANDARD_GB_MONTH, ""): 0.292,
    (Item.EFS_ELASTIC_READ_GB, ""): 0.03,
    (Item.EFS_ELASTIC_WRITE_GB, ""): 0.06,
    (Item.EFS_PROVISIONED_MBPS_MONTH, ""): 7.3,
}
PRICES = Prices(
    region="us-east-1", of={item: Price(usd=usd, source="a test", date="2026") for item, usd in USD.items()}
)
IMAGES = profile_of_sizes("s3://lake/data/x/", Where.S3, {100_000: 100_000})
"""10 GB in 100,000 files."""


def _asked(profile: Profile = IMAGES, **asked: Any) -> Question:
    known = Speeds(**{each.name: exactly(float(ROUND[each.name])) for each in fields(Speeds)})
    options = {"instance": "ml.p3.2xlarge", "samples_per_second": 100.0, "readers": 8, "shared_lustre": 1200, **asked}
    # 8 vCPUs, 61 GiB, EBS 218.75 MB/s, a network of 2.5 Gbit/s = 312.5 MB/s; 1,000 s of computing in an epoch
    return replace(question(profile, **options), speeds=known, prices=PRICES)


def _of(one: Plan) -> dict[str, float]:
    assert all(each.usd is not None for each in one.costs)
    return {each.name: each.usd.point for each in one.costs if each.usd is not None}


def _seconds(phases: Any) -> dict[str, float]:
    return {name: each.point for name, each in phases.items()}


def test_file_mode() -> None:
    """The copy takes longer than the image; later epochs read from the page cache."""
    one = plan(_asked(epochs=3), Variant(road=S3_FILE))
    # 100,000 / 100 files a second, and 10,000 MB at 200 MB/s
    assert _seconds(one.billed) == pytest.approx(
        {"overhead": 10, "download and image": 1050, "first epoch": 1020, "further epochs": 2000, "upload": 1}
    )
    assert _seconds(one.waiting) == {"starting": 100}
    billed = 10 + 1050 + 1020 + 2000 + 1
    assert _of(one) == pytest.approx(
        {
            "instances": billed / HOUR * 3.6,
            "ML volume": 30 * billed / HOUR / MONTH_HOURS * 0.146,
            "S3 requests": 100 * 0.001 + 0.1 * 0.01,
        }
    )
    assert one.costs[0].arithmetic == "1.134 h of ml.p3.2xlarge x $3.6"


def test_file_mode_writes_image_and_data_to_one_volume() -> None:
    """Where the image takes longer than the copy, the data's bytes are written beside it."""
    shards = profile_of_sizes("s3://lake/data/x/", Where.S3, {1_000_000_000: 1})
    one = plan(_asked(shards), Variant(road=S3_FILE))
    # the image 5,500 MB at 55 MB/s, then 1,000 MB at 200 MB/s, against 5 s of copying and 0.01 s of requests
    assert one.billed["download and image"].point == pytest.approx(105)


def test_file_mode_reads_the_volume_where_memory_is_too_small() -> None:
    """100 GB are more than the page cache takes; each epoch reads them again."""
    large = profile_of_sizes("s3://lake/data/x/", Where.S3, {1_000_000: 100_000})
    one = plan(_asked(large, epochs=2), Variant(road=S3_FILE))
    # 100,000 reads at 1,000 a second and 100,000 MB at 200 MB/s take 600 s
    assert _seconds(one.billed)["further epochs"] == pytest.approx(1000)
    slow = plan(_asked(large, epochs=2, samples_per_second=1000.0), Variant(road=S3_FILE))
    assert _seconds(slow.billed)["further epochs"] == pytest.approx(600)


def test_fast_file() -> None:
    """Listing, walking, and each epoch a request for each file."""
    one = plan(_asked(epochs=3), Variant(road=S3_FAST_FILE))
    # 8 readers of 0.05 s are 160 a second, but the agent asks for 100; 10,000 MB at 312.5 MB/s of network
    epoch = 1000 + 32
    assert _seconds(one.billed) == pytest.approx(
        {
            "overhead": 10,
            "image": 100,
            "listing": 20,
            "walk": 10,
            "first epoch": epoch,
            "further epochs": 2 * epoch,
            "upload": 1,
        }
    )
    assert _of(one)["S3 requests"] == pytest.approx(3 * 100 * 0.001 + 0.1 * 0.01)


def test_few_readers_wait_for_each_file() -> None:
    """Two readers of 0.05 s are 40 files a second."""
    one = plan(_asked(readers=2), Variant(road=S3_FAST_FILE))
    # two streams of 100 MB/s
    assert one.billed["first epoch"].point == pytest.approx(100_000 / 40 + 10_000 / 200)


def test_pipe() -> None:
    """One stream for each instance, which reads everything unless it is sharded."""
    one = plan(_asked(instances=2, samples_per_second=1000.0), Variant(road=S3_PIPE))
    assert one.billed["first epoch"].point == pytest.approx(1000 + 10_000 / 250)
    assert _of(one)["S3 requests"] == pytest.approx(2 * 100 * 0.001 + 2 * 0.1 * 0.01)
    shared = plan(_asked(instances=2, sharded=True, samples_per_second=1000.0), Variant(road=S3_PIPE))
    assert shared.billed["first epoch"].point == pytest.approx(500 + 5_000 / 250)


def test_a_shared_lustre_is_counted_while_the_job_has_it() -> None:
    """1,200 GiB for starting and billed hours; 300 MB/s of its disks."""
    one = plan(
        _asked(samples_per_second=1000.0), Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200)
    )
    # 100,000 files of 0.004 s by 8 readers, and 10,000 MB at 256 x 1,200 / 1,024 MB/s
    reading = 50 + 10_000 / 300
    assert _seconds(one.billed) == pytest.approx(
        {"overhead": 10, "image": 100, "mount": 30, "walk": 10, "first epoch": 120, "upload": 1}
    )
    assert reading < 120
    billed = 271
    assert _of(one) == pytest.approx(
        {
            "instances": billed / HOUR * 3.6,
            "ML volume": 30 * billed / HOUR / MONTH_HOURS * 0.146,
            "file system": 1200 * (100 + billed) / HOUR / MONTH_HOURS * 0.146,
            "cross-AZ traffic": 0,
        }
    )


def test_a_cold_lustre_loads_in_the_first_epoch() -> None:
    """Each file is waited for by one of the readers, and is loaded afterwards."""
    cold = Variant(road=LUSTRE, lustre=LustreState.SHARED_COLD, capacity_gib=1200)
    one = plan(_asked(epochs=2, samples_per_second=10_000.0), cold)
    # 100,000 x 0.16 s / 8; content 10,000 MB at 150 MB/s and 8 streams of 50 MB/s take less
    assert _seconds(one.billed)["first epoch"] == pytest.approx(2000)
    assert _seconds(one.billed)["further epochs"] == pytest.approx(50 + 10_000 / 300)
    assert _of(one)["S3 requests"] == pytest.approx(100 * 0.001 + 0.1 * 0.01)


def test_an_ephemeral_lustre_is_paid_from_creation_to_deletion() -> None:
    """Made, imported, preloaded by a job of its own with 16 readers, used, deleted."""
    one = plan(_asked(), Variant(road=LUSTRE, lustre=LustreState.EPHEMERAL_PRELOADED, capacity_gib=1200))
    preload = 100 + 10 + 100_000 * 0.16 / 16
    assert _seconds(one.waiting) == pytest.approx({"create": 500, "import": 200, "preload": preload, "starting": 100})
    billed = 10 + 100 + 30 + 10 + 1020 + 1
    lifetime = 500 + 200 + preload + 100 + billed + 200
    found = _of(one)
    assert found["file system"] == pytest.approx(1200 * lifetime / HOUR / MONTH_HOURS * 0.146)
    # ml.m5.xlarge is the smallest with 150 MB/s of network; the start of the preload is not billed
    assert found["preload"] == pytest.approx((preload - 100) / HOUR * 0.72)


def test_jobs_that_hold_a_lustre_share_what_made_it() -> None:
    """Ten jobs: a tenth of creating, importing, preloading and deleting each."""
    one = plan(_asked(jobs=10), Variant(road=LUSTRE, lustre=LustreState.HELD_PRELOADED, capacity_gib=1200))
    made = 500 + 200 + 1110
    billed = 10 + 100 + 30 + 10 + 1020 + 1
    lifetime = made / 10 + 100 + billed + 200 / 10
    assert _of(one)["file system"] == pytest.approx(1200 * lifetime / HOUR / MONTH_HOURS * 0.146)
    assert _of(one)["preload"] == pytest.approx(1010 / 10 / HOUR * 0.72)


GIB = 10e9 / (1 << 30)
TIB = 10e9 / (1 << 40)
EFS_CASES = [
    # 300 MB/s in a burst; 100,000 files of 0.008 s by 8 readers
    (EfsMode.BURSTING, 100 + 10_000 / 300, {}),
    # twice what 100 samples a second read, a third of it provisioned, and three times that is read: 20 MB/s; what the
    # size of the data brings is not billed, and what is provisioned stays for a day
    (EfsMode.PROVISIONED, 100 + 10_000 / 20, {"EFS throughput": (20 / 3 - 50 * TIB) * 24 / MONTH_HOURS * 7.3}),
    # 312.5 MB/s of network
    (EfsMode.ELASTIC, 100 + 32, {"EFS reads": GIB * 0.03, "EFS writes": GIB * 0.06}),
]


@pytest.mark.parametrize(("mode", "reading", "items"), EFS_CASES, ids=[each[0] for each in EFS_CASES])
def test_efs(mode: EfsMode, reading: float, items: dict[str, float]) -> None:
    """Loaded by a job, then read; the copy stands for a month; each mode bills in its own way."""
    one = plan(_asked(), Variant(road=EFS, efs_mode=mode))
    # 100,000 files at 1,000 a second, as long as 10,000 MB at 100 MB/s; provisioned takes 6.7 MB/s
    load = 100 + 10 + (10_000 / (20 / 3) if mode is EfsMode.PROVISIONED else 100)
    assert _seconds(one.waiting) == pytest.approx({"load": load, "starting": 100})
    assert one.billed["first epoch"].point == pytest.approx(max(1020, reading))
    found = _of(one)
    assert found["EFS storage"] == pytest.approx(GIB * 0.292)
    assert found["load"] == pytest.approx((load - 100) / HOUR * 0.36)
    assert {name: found[name] for name in items} == pytest.approx(items)


def test_what_lies_in_efs_is_neither_loaded_nor_stored_anew() -> None:
    """It is paid for anyway."""
    there = profile_of_sizes("/x", Where.EFS, {100_000: 100_000})
    found = plan(_asked(there), Variant(road=EFS, efs_mode=EfsMode.BURSTING))
    assert set(_of(found)) == {"instances", "ML volume", "cross-AZ traffic"}
    assert list(found.waiting) == ["starting"]


def test_a_larger_efs_bursts_faster_up_to_its_limit() -> None:
    """300 MB/s for each TiB, and 3,000 MB/s at the most."""
    for tib, speed in ((4, 1200), (100, 3000)):
        profile = profile_of_sizes("/x", Where.EFS, {1 << 30: tib * 1024})
        # eight instances of 312.5 MB/s have a network that is in no way of 1,200, and in the way of 3,000
        asked = _asked(profile, samples_per_second=None, instances=8)
        one = plan(asked, Variant(road=EFS, efs_mode=EfsMode.BURSTING))
        mb = tib * (1 << 40) / 1e6
        files = tib * 1024 / 8 * 0.008 / 8
        assert one.billed["first epoch"].point == pytest.approx(files + mb / min(speed, 8 * 312.5), rel=1e-6)


def test_four_instances_share_the_work_and_multiply_the_bill() -> None:
    """Samples and reading are divided; hours, volumes and the copies of File mode are not."""
    four = _asked(instances=4)
    file = plan(four, Variant(road=S3_FILE))
    assert _seconds(file.billed)["download and image"] == pytest.approx(1050)
    assert _seconds(file.billed)["first epoch"] == pytest.approx(250 + 20)
    billed = 10 + 1050 + 270 + 1
    assert _of(file) == pytest.approx(
        {
            "instances": 4 * billed / HOUR * 3.6,
            "ML volume": 4 * 30 * billed / HOUR / MONTH_HOURS * 0.146,
            "S3 requests": 4 * (100 * 0.001 + 0.1 * 0.01),
        }
    )
    sharded = plan(_asked(instances=4, sharded=True), Variant(road=S3_FILE))
    # a quarter of the copy, beside which the image takes longer: 100 s and 2,500 MB at 200 MB/s
    assert _seconds(sharded.billed)["download and image"] == pytest.approx(250 + 12.5)
    lustre = plan(four, Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200))
    # 25,000 files by 8 readers each, and a quarter of 300 MB/s for a quarter of the bytes
    assert 12.5 + 10_000 / 300 < 270
    slow = replace(four, workload=replace(four.workload, samples_per_second=None))
    reading = plan(slow, Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200))
    assert _seconds(reading.billed)["first epoch"] == pytest.approx(12.5 + 10_000 / 300)
    assert _seconds(lustre.billed)["first epoch"] == pytest.approx(270)
    efs = plan(slow, Variant(road=EFS, efs_mode=EfsMode.BURSTING))
    assert _seconds(efs.billed)["first epoch"] == pytest.approx(25 + 10_000 / 300)


def test_a_small_instance_has_its_ebs_burst_for_half_an_hour() -> None:
    """ml.m5.large: 593.75 MB/s for 1,800 s, then 81.25 MB/s; the volume itself gives 200."""
    large = profile_of_sizes("s3://lake/data/x/", Where.S3, {1_000_000_000: 1000})
    written = 1800 + (1_000_000 - 1800 * 200) / 81.25
    assert written_seconds(1_000_000, _asked(instance="ml.m5.large")).point == pytest.approx(written)
    again = plan(_asked(large, instance="ml.m5.large", epochs=2, samples_per_second=None), Variant(road=S3_FILE))
    assert again.billed["further epochs"].point == pytest.approx(1 + 1_000_000 / 81.25)


def test_a_shared_lustre_that_would_have_to_stand_is_made_and_paid_for_a_month() -> None:
    """Ten jobs share the month, and what makes it."""
    one = plan(
        _asked(jobs=10, shared_lustre=0), Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200)
    )
    assert _of(one)["file system"] == pytest.approx(1200 / 10 * 0.146)
    assert _seconds(one.waiting) == pytest.approx({"create": 50, "import": 20, "preload": 111, "starting": 100})


def test_the_first_of_several_jobs_loads_a_cold_lustre() -> None:
    """The others find it: a tenth of its first epoch each."""
    cold = Variant(road=LUSTRE, lustre=LustreState.SHARED_COLD, capacity_gib=1200)
    one = plan(_asked(jobs=10, samples_per_second=None), cold)
    warm = 50 + 10_000 / 300
    assert one.billed["first epoch"].point == pytest.approx(2000 / 10 + warm * 9 / 10)


def test_a_burst_ends_with_its_credits() -> None:
    """10 TB in ten epochs of 1 TB: 6 TB at 300 MB/s, then 150 MB/s for each TiB."""
    profile = profile_of_sizes("/x", Where.EFS, {1_000_000_000: 1000})
    one = plan(_asked(profile, epochs=10, samples_per_second=None), Variant(road=EFS, efs_mode=EfsMode.BURSTING))
    slow = 150 * 1e12 / (1 << 40)
    whole = 6e6 / 300 + 4e6 / slow
    assert one.billed["further epochs"].point == pytest.approx(0.9 * (whole + 10), rel=1e-3)


def test_packing_is_a_job_of_its_own() -> None:
    """100,000 files at 1,000 a second into 67 shards of 150 MB, in parts of 8 MiB."""
    one = plan(_asked(jobs=2), Variant(road=S3_FAST_FILE, is_packed=True))
    pack = 100 + 10 + 100
    assert one.waiting["pack"].point == pytest.approx(pack / 2)
    found = _of(one)
    assert found["packing"] == pytest.approx((pack - 100) / 2 / HOUR * 1.8)
    assert found["storage of shards"] == pytest.approx(10 * 0.02 / 2)
    assert found["S3 requests of packing"] == pytest.approx((100 * 0.001 + 67 * 18 / 1000 * 0.01) / 2)
    assert one.billed["listing"].point == pytest.approx(67 / 5000)


def test_a_price_that_is_missing_is_not_made_up() -> None:
    """The item has no money, and so has the sum; its arithmetic says why."""
    asked = replace(_asked(), prices=replace(PRICES, of={}))
    one = plan(asked, Variant(road=LUSTRE, lustre=LustreState.SHARED_WARM, capacity_gib=1200))
    assert one.usd is None
    told = {each.name: each.arithmetic for each in one.costs if each.usd is None}
    assert set(told) == {"instances", "ML volume", "file system"}
    assert all(each.endswith("x price unknown") for each in told.values())
