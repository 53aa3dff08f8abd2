"""``headrace prices update``: what is asked of AWS, what its answers say, and the file that is written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from headrace import service_model
from headrace.aws import Aws, AwsError
from headrace.aws.connection import AccessDenied
from headrace.figures.price_list import QUESTIONS, Question, prices_of
from headrace.figures.prices import Item, Price, Prices, prices
from headrace.figures.snapshot import Origin, read_snapshot, to_plain, to_text
from headrace.figures.updating import Told, updated
from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.command_line import Run, runner

TODAY = "2026-11-26"


def product(
    usage_type: str, *tiers: str, unit: str = "GB-Mo", currency: str = "USD", **attributes: str
) -> dict[str, Any]:
    """A product as GetProducts gives it; ``tiers``: its prices, from the first bytes on."""
    dimensions = {
        f"SKU.JRTCKXETXF.{number}": {
            "unit": unit,
            "beginRange": str(number * 51_200),
            "endRange": "Inf" if number == len(tiers) - 1 else str((number + 1) * 51_200),
            "description": f"${usd} per {unit} of {usage_type}",
            "appliesTo": [],
            "rateCode": f"SKU.JRTCKXETXF.{number}",
            "pricePerUnit": {currency: usd},
        }
        for number, usd in enumerate(tiers)
    }
    return {
        "product": {"sku": "SKU", "attributes": {"usagetype": usage_type, "locationType": "AWS Region", **attributes}},
        "serviceCode": "AmazonX",
        "terms": {
            "OnDemand": {
                "SKU.JRTCKXETXF": {
                    "priceDimensions": dimensions,
                    "sku": "SKU",
                    "effectiveDate": "2026-11-01T00:00:00Z",
                    "offerTermCode": "JRTCKXETXF",
                    "termAttributes": {},
                }
            }
        },
        "version": "20261120000000",
        "publicationDate": "2026-11-20T00:00:00Z",
    }


# of each service, what us-east-1 has: with and without the Region's prefix, and what lies beside it
PRODUCTS: dict[str, list[dict[str, Any]]] = {
    "AmazonSageMaker": [
        product("USE1-Train:ml.g5.xlarge", "1.4080000000", unit="Hrs", component="Training"),
        product("USE1-Train:ml.p6-b200.48xlarge", "113.9", unit="Hrs", component="Training"),
        product("USE1-TrSpt:ml.g5.xlarge", "0.5", unit="Hrs", component="Training"),
        product("USE1-TrainWarmPool:ml.g5.xlarge", "1.409", unit="Hrs"),
        product("USE1-Host:ml.g5.xlarge", "1.41", unit="Hrs", component="Hosting"),
        product("USE1-TrainingPlanUpfrontFee:ml.p4d.24xlarge", "13.57", unit="Quantity"),
        product("USE1-Train:VolumeUsage.gp2", "0.1400000000", operation="CreateVolume-Gp2"),
        product("USE1-Host:VolumeUsage.gp2", "0.154", operation="CreateVolume-Gp2"),
    ],
    "AmazonS3": [
        product("TimedStorage-ByteHrs", "0.0230000000", "0.0220000000", "0.0210000000"),
        product("TimedStorage-SIA-ByteHrs", "0.0125"),
        product("TimedStorage-ZIA-ByteHrs", "0.01"),
        product("Requests-Tier1", "0.0000050000", unit="Requests"),
        product("Requests-Tier2", "0.0000004000", unit="Requests"),
        product("Requests-SIA-Tier1", "0.00001", unit="Requests"),
    ],
    "AmazonFSx": [
        product("USE1-Storage", "0.1400000000", deploymentOption="Single-AZ"),
        product("USE1-Storage.SSD.50", "0.14", deploymentOption="Persistent"),
        product("USE1-Storage.SSD.125", "0.145", deploymentOption="Persistent"),
        product("USE1-Storage.SSD.1000", "0.6", deploymentOption="Persistent"),
        product("USE1-BackupUsage", "0.05"),
    ],
    "AmazonEFS": [
        product("USE1-TimedStorage-ByteHrs", "0.3"),
        product("USE1-TimedStorage-Z-ByteHrs", "0.16"),
        product("USE1-IATimedStorage-ByteHrs", "0.025"),
        product("USE1-ETDataAccess-Bytes", "0.03", unit="GB", accessType="Read"),
        product("USE1-ETDataAccess-Bytes", "0.06", unit="GB", accessType="Write"),
        product("USE1-ProvisionedTP-MiBpsHrs", "6", unit="MiBps-Mo"),
        product("USE1-ProvisionedTP-MiBpsHrs", "0", unit="MiBps-Mo"),
    ],
    "AWSDataTransfer": [
        product("DataTransfer-Regional-Bytes", "0.01", unit="GB"),
        product("DataTransfer-Regional-Bytes", "0.01", unit="GB", operation="InterZone-In"),
        product("USE1-DataTransfer-xAZ-Out-Bytes", "0", unit="GB"),
    ],
    "AmazonVPC": [
        product("USE1-VpcEndpoint-Hours", "0.01", unit="Hrs"),
        product("USE1-VpcEndpoint-GWLBE-Hours", "0.0125", unit="Hrs"),
    ],
    "awskms": [product("us-east-1-KMS-Keys", "1", unit="Keys"), product("us-east-1-KMS-Requests", "0.000003")],
    "AmazonCloudWatch": [
        product("CW:AlarmMonitorUsage", "0.1", unit="Alarms"),
        product("CW:HighResAlarmMonitorUsage", "0.3", unit="Alarms"),
        product("USE1-VendedLog-Bytes", "0.5", "0.25", "0.1", "0.05", unit="GB"),
        product("USE1-VendedLog-Bytes-WAFLogs", "0.51", unit="GB"),
    ],
}
EXPECTED = {
    (Item.TRAINING_HOUR, "ml.g5.xlarge"): 1.408,
    (Item.TRAINING_HOUR, "ml.p6-b200.48xlarge"): 113.9,
    (Item.ML_VOLUME_GB_MONTH, ""): 0.14,
    (Item.S3_STANDARD_GB_MONTH, ""): 0.023,
    (Item.S3_PUT_LIST_1000, ""): 0.005,
    (Item.S3_GET_1000, ""): 0.0004,
    (Item.LUSTRE_SCRATCH_2_GB_MONTH, ""): 0.14,
    (Item.LUSTRE_PERSISTENT_2_GB_MONTH, "125"): 0.145,
    (Item.LUSTRE_PERSISTENT_2_GB_MONTH, "1000"): 0.6,
    (Item.EFS_STANDARD_GB_MONTH, ""): 0.3,
    (Item.EFS_ONE_ZONE_GB_MONTH, ""): 0.16,
    (Item.EFS_ELASTIC_READ_GB, ""): 0.03,
    (Item.EFS_ELASTIC_WRITE_GB, ""): 0.06,
    (Item.EFS_PROVISIONED_MBPS_MONTH, ""): 6,
    (Item.CROSS_AZ_GB, ""): 0.01,
    (Item.INTERFACE_ENDPOINT_HOUR, ""): 0.01,
    (Item.KMS_KEY_MONTH, ""): 1,
    (Item.ALARM_MONTH, ""): 0.1,
    (Item.FLOW_LOGS_GB, ""): 0.5,
}


def answers(products: dict[str, list[dict[str, Any]]]) -> list[tuple[Question, list[dict[str, Any]]]]:
    """What answers each question."""
    return [(each, products.get(each.service_code, [])) for each in QUESTIONS]


def without(service: str, usage_type: str) -> dict[str, list[dict[str, Any]]]:
    """All products but these."""
    rest = [each for each in PRODUCTS[service] if each["product"]["attributes"]["usagetype"] != usage_type]
    return PRODUCTS | {service: rest}


def test_every_price_is_found_among_what_lies_beside_it() -> None:
    """No spot, hosting, warm pool, rarer storage class, backup, or what is included for nothing."""
    found = prices_of("us-east-1", answers(PRODUCTS), TODAY)
    assert {key: price.usd for key, price in found.prices.of.items()} == EXPECTED
    assert found.left_out == ()
    assert found.prices.price(Item.S3_GET_1000) == Price(
        usd=0.0004, source="AWS Price List Query API, AmazonS3", date=TODAY
    )


def test_every_item_is_asked_for_once() -> None:
    """An item that nobody asks for would stay as old as it was shipped."""
    asked = [wanted.item for question in QUESTIONS for wanted in question.wanted]
    assert sorted(asked) == sorted(Item)


def test_every_question_is_one_that_the_service_takes() -> None:
    """Held against its model; no fields twice."""
    for question in QUESTIONS:
        filters = question.filters("eu-central-1")
        request = {"ServiceCode": question.service_code, "Filters": filters, "FormatVersion": "aws_v1"}
        assert service_model.violations("pricing", "GetProducts", request) == []
        assert "eu-central-1" in [each["Value"] for each in filters]
        assert len({each["Field"] for each in filters}) == len(filters)


@pytest.mark.parametrize(
    ("service", "usage_type", "item"),
    [
        ("AmazonS3", "Requests-Tier2", Item.S3_GET_1000),
        ("AmazonFSx", "USE1-Storage", Item.LUSTRE_SCRATCH_2_GB_MONTH),
        ("awskms", "us-east-1-KMS-Keys", Item.KMS_KEY_MONTH),
    ],
)
def test_what_has_no_price_is_left_out_and_named(service: str, usage_type: str, item: Item) -> None:
    """And nothing else is."""
    found = prices_of("us-east-1", answers(without(service, usage_type)), TODAY)
    assert found.prices.price(item) is None
    (line,) = found.left_out
    assert line.startswith(f"{item}: no price in us-east-1 (AWS Price List Query API, {service}, ")
    assert len(found.prices.of) == len(EXPECTED) - 1


def test_what_has_two_prices_is_left_out_and_both_are_named() -> None:
    """Nobody knows which of them is paid. Other kinds of the item have theirs."""
    twice = product("USE1-Train:ml.g5.xlarge", "1.5", unit="Hrs")
    found = prices_of(
        "us-east-1", answers(PRODUCTS | {"AmazonSageMaker": [*PRODUCTS["AmazonSageMaker"], twice]}), TODAY
    )
    assert found.prices.price(Item.TRAINING_HOUR, "ml.g5.xlarge") is None
    assert found.prices.usd(Item.TRAINING_HOUR, "ml.p6-b200.48xlarge") == 113.9
    assert found.left_out == (
        "training_hour ml.g5.xlarge: 2 prices in us-east-1, $1.408, $1.5 (AWS Price List Query API, AmazonSageMaker)",
    )


@pytest.mark.parametrize(
    "other",
    [
        product("USE1-Storage", "0.14", unit="Hrs"),
        product("USE1-Storage", "1.1", currency="CNY"),
        product("USE1-Storage", "0"),
        {"product": {"attributes": {"usagetype": "USE1-Storage"}}, "terms": {"Reserved": {}}},
        {"product": {"attributes": {}}},
    ],
)
def test_another_unit_or_currency_is_no_price(other: dict[str, Any]) -> None:
    """Nor is a product without a price on demand."""
    products = without("AmazonFSx", "USE1-Storage")
    found = prices_of("us-east-1", answers(products | {"AmazonFSx": [*products["AmazonFSx"], other]}), TODAY)
    assert found.prices.price(Item.LUSTRE_SCRATCH_2_GB_MONTH) is None


@pytest.mark.parametrize("prefix", ["EU-", "EUC1-", "APN1-", "SAE1-", "UGW1-", "MES1-", ""])
def test_a_region_has_a_prefix_of_its_own(prefix: str) -> None:
    """Europe's first has no number; some usage types of us-east-1 have no prefix."""
    found = prices_of("eu-west-1", [(QUESTIONS[0], [product(f"{prefix}Train:ml.m5.large", "0.1", unit="Hrs")])], TODAY)
    assert found.prices.usd(Item.TRAINING_HOUR, "ml.m5.large") == 0.1


def test_an_update_replaces_the_prices_of_its_regions_and_the_shapes_that_it_was_told() -> None:
    """Other Regions and older types stay; a price that AWS no longer tells is gone."""
    other = Prices(region="eu-west-9", of={(Item.S3_GET_1000, ""): Price(usd=1, source="?", date="2020")})
    older = replace(read_snapshot(), prices={**read_snapshot().prices, "eu-west-9": other})
    told = Told(
        prices=Prices(region="us-east-1", of={(Item.S3_GET_1000, ""): Price(usd=2, source="API", date=TODAY)}),
        descriptions=[{"InstanceType": "m5.large", **INSTANCE_TYPES["m5.large"], "VCpuInfo": {"DefaultVCpus": 3}}],
    )
    newer = updated(older, [told], TODAY)
    assert newer.date == TODAY
    assert newer.prices == {"eu-west-9": other, "us-east-1": told.prices}
    assert newer.instance_types["ml.m5.large"].vcpus == 3
    assert newer.origins["ml.m5.large"] == Origin(source="Amazon EC2 DescribeInstanceTypes, us-east-1", date=TODAY)
    rest = {name: each for name, each in older.instance_types.items() if name != "ml.m5.large"}
    assert {name: each for name, each in newer.instance_types.items() if name != "ml.m5.large"} == rest


def test_products_of_all_pages_are_asked_for_in_one_region(aws: Aws) -> None:
    """The Price List is not everywhere; what it answers is JSON in JSON."""
    stubber = Stubber(aws.connection.client("pricing", "us-east-1"))
    filters = QUESTIONS[0].filters("eu-west-1")
    request: dict[str, Any] = {"ServiceCode": "AmazonSageMaker", "Filters": filters, "FormatVersion": "aws_v1"}
    pages = [PRODUCTS["AmazonSageMaker"][:2], PRODUCTS["AmazonSageMaker"][2:]]
    stubber.add_response("get_products", {"PriceList": [*map(json.dumps, pages[0])], "NextToken": "more"}, request)
    stubber.add_response("get_products", {"PriceList": [*map(json.dumps, pages[1])]}, request | {"NextToken": "more"})
    counts: list[int] = []
    with stubber:
        assert aws.price_list.products("AmazonSageMaker", filters, counts.append) == PRODUCTS["AmazonSageMaker"]
    assert counts == [2, 8]
    stubber.assert_no_pending_responses()


def test_instance_types_are_asked_for_by_two_hundred(aws: Aws) -> None:
    """As many values as a filter takes."""
    stubber = Stubber(aws.connection.client("ec2"))
    names = [f"m5.{number}xlarge" for number in range(201)]
    for values in (names[:200], names[200:]):
        answer = {"InstanceTypes": [{"InstanceType": "m5.large"}]}
        stubber.add_response(
            "describe_instance_types", answer, {"Filters": [{"Name": "instance-type", "Values": values}]}
        )
    with stubber:
        assert aws.price_list.instance_types(names) == [{"InstanceType": "m5.large"}] * 2
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("service", "method", "code", "message", "action"),
    [
        (
            "pricing",
            "get_products",
            "AccessDeniedException",
            "User: arn:aws:iam::111111111111:user/a is not authorized to perform: pricing:GetProducts",
            "pricing:GetProducts",
        ),
        (
            "ec2",
            "describe_instance_types",
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.",
            "ec2:DescribeInstanceTypes",
        ),
    ],
)
def test_a_missing_permission_is_named(
    aws: Aws, service: str, method: str, code: str, message: str, action: str
) -> None:
    """By its action."""
    stubber = Stubber(aws.connection.client(service, "us-east-1" if service == "pricing" else None))
    stubber.add_client_error(method, code, message)
    ask = {
        "pricing": partial(aws.price_list.products, "AmazonS3", []),
        "ec2": partial(aws.price_list.instance_types, ["m5.large"]),
    }
    with stubber, pytest.raises(AccessDenied) as caught:
        ask[service]()
    assert caught.value.action == action


@dataclass
class Served:
    """A Price List on the loopback: what it was asked, and what it answers. ``denied``: whether it refuses."""

    url: str
    products: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: dict(PRODUCTS))
    asked: list[dict[str, Any]] = field(default_factory=list)
    denied: bool = False


@pytest.fixture
def price_list(aws_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The Price List on the loopback, beside the EC2 of the embedded AWS. It gives one product a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.asked.append(request)
            if served.denied:
                message = "User: x is not authorized to perform: pricing:GetProducts"
                self._send(400, {"__type": "AccessDeniedException", "Message": message})
                return
            products = served.products.get(request["ServiceCode"], [])
            number = int(request.get("NextToken", 0))
            more = {"NextToken": str(number + 1)} if number + 1 < len(products) else {}
            self._send(
                200, {"FormatVersion": "aws_v1", "PriceList": [*map(json.dumps, products[number : number + 1])], **more}
            )

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", served.url)
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``headrace prices``."""
    return runner(monkeypatch, capsys, "prices")


def test_an_update_writes_a_file_that_is_read_again(price_list: Served, run: Run, tmp_path: Path) -> None:
    """Over HTTP, with EC2's shapes; the second time the Regions of the file stay. The result is the path."""
    output = tmp_path / "prices.json"
    done = run("update", "--region", "us-east-1", "--output", str(output))
    assert (done.code, done.out) == (0, f"{output}\n"), done.err
    assert "us-east-1: 19 prices, 2" in done.err
    assert "left out" not in done.err
    snapshot = read_snapshot(output)
    assert {key: price.usd for key, price in prices("us-east-1", snapshot).of.items()} == EXPECTED
    assert snapshot.instance_types == read_snapshot().instance_types
    assert snapshot.origins["ml.g5.xlarge"].source == "Amazon EC2 DescribeInstanceTypes, us-east-1"
    assert "moto 5.1.4" in snapshot.origins["ml.p3.2xlarge"].source

    del price_list.products["awskms"]
    again = run("update", "--region", "eu-central-1", "--output", str(output), "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["left_out"] == {
        "eu-central-1": [
            "kms_key_month: no price in eu-central-1 (AWS Price List Query API, awskms, usage type KMS-Keys)"
        ]
    }
    assert "left out: kms_key_month: no price in eu-central-1" in again.err
    assert set(read_snapshot(output).prices) == {"eu-central-1", "us-east-1"}
    asked = {each["Value"] for request in price_list.asked for each in request["Filters"]}
    assert {"us-east-1", "eu-central-1"} <= asked
    assert list(tmp_path.iterdir()) == [output]


def test_without_the_permission_nothing_is_written(price_list: Served, run: Run, tmp_path: Path) -> None:
    """One line names it, and what else is needed."""
    price_list.denied = True
    done = run("update", "--region", "us-east-1", "--output", str(tmp_path / "prices.json"))
    assert done.code == AwsError.exit_code
    assert done.err.splitlines()[-1] == (
        "error: pricing:GetProducts is not allowed; this command needs pricing:GetProducts and "
        "ec2:DescribeInstanceTypes; nothing was written"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_region_without_any_price_is_refused(price_list: Served, run: Run, tmp_path: Path) -> None:
    """It is a mistyped one, or one of another partition."""
    price_list.products.clear()
    done = run("update", "--region", "us-east-1", "--output", str(tmp_path / "prices.json"))
    assert done.code == 2
    assert "error: region is 'us-east-1', of which the Price List knows no price; allowed: " in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_snapshot_is_not_replaced(price_list: Served, run: Run, tmp_path: Path) -> None:
    """It may be anything; AWS is not asked."""
    output = tmp_path / "prices.json"
    output.write_text("{}", encoding="utf-8")
    done = run("update", "--region", "us-east-1", "--output", str(output))
    assert done.code == 2
    assert "format_version is None" in done.err
    assert "which is not replaced" in done.err
    assert output.read_text(encoding="utf-8") == "{}"
    assert price_list.asked == []


@pytest.mark.parametrize("place", ["none/prices.json", "x" * 300])
def test_a_place_that_cannot_be_written_is_told_before_aws_is_asked(
    price_list: Served, run: Run, tmp_path: Path, place: str
) -> None:
    """No such directory, a name that is too long: asking takes some seconds."""
    done = run("update", "--region", "us-east-1", "--output", str(tmp_path / place))
    assert done.code == 2
    assert done.err.startswith("error: output is ")
    assert "fix: name a file that can be written" in done.err
    assert price_list.asked == []


def test_a_directory_or_a_link_to_nowhere_is_not_replaced(price_list: Served, run: Run, tmp_path: Path) -> None:
    """Neither is a file of prices."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "directory").mkdir()
    for name in ("link", "directory"):
        done = run("update", "--region", "us-east-1", "--output", str(tmp_path / name))
        assert done.code == 2
        assert "which is not replaced" in done.err
    assert {each.name for each in tmp_path.iterdir()} == {"link", "directory"}
    assert price_list.asked == []


def test_what_is_known_is_shown_with_dates_and_sources(run: Run) -> None:
    """The shipped figures, offline; their date is said."""
    done = run("show", "--region", "us-east-1", "--instance-type", "ml.g5.xlarge", "--instance-type", "ml.m5.12xlarge")
    assert done.code == 0
    assert f"figures of {read_snapshot().date}, shipped with headrace" in done.err
    assert "ml.m5.12xlarge: the price of its training hour is not known" in done.err
    assert "NVIDIA A10G" in done.out
    assert "1.408" in done.out
    assert "[1] Amazon EC2 DescribeInstanceTypes" in done.out
    assert "s3_get_1000" not in done.out
    everything = run("show")
    assert "s3_get_1000" in everything.out


def test_what_is_known_is_shown_to_machines(run: Run) -> None:
    """As JSON; a price of each item, a shape of each type."""
    shown = json.loads(run("show", "--json").out)
    assert shown["date"] == read_snapshot().date
    assert len(shown["instance_types"]) == len(read_snapshot().instance_types)
    (get,) = [each for each in shown["prices"] if each["item"] == "s3_get_1000"]
    assert (get["region"], get["kind"], get["usd"]) == ("us-east-1", None, 0.0004)
    assert get["source"]


def test_mistakes_are_told_together(run: Run) -> None:
    """Two unknown types are two lines; a Region without prices is no mistake."""
    done = run("show", "--instance-type", "ml.g5.3xlarge", "--instance-type", "g5.xlarge")
    assert (done.code, done.out) == (2, "")
    assert [line.split(",")[0] for line in done.err.splitlines()[1:]] == [
        "error: instance_type is 'ml.g5.3xlarge'",
        "error: instance_type is 'g5.xlarge'",
    ]
    elsewhere = run("show", "--region", "eu-west-9")
    assert (elsewhere.code, elsewhere.out) == (0, "")
    assert "no price of eu-west-9 is known; known: us-east-1" in elsewhere.err


def test_a_file_of_anywhere_writes_nothing_into_the_terminal(run: Run, tmp_path: Path) -> None:
    """Sources and makes may hold control characters."""
    snapshot = read_snapshot()
    hostile = replace(
        snapshot,
        instance_types={"ml.g5.xlarge": replace(snapshot.instance_types["ml.g5.xlarge"], accelerator="\x1b[31mA10G")},
        origins={"ml.g5.xlarge": Origin(source="\x1b]0;title\x07 here", date="2026")},
        prices={},
    )
    path = tmp_path / "prices.json"
    path.write_text(to_text(to_plain(hostile)), encoding="utf-8")
    done = run("show", "--prices", str(path), "--instance-type", "ml.g5.xlarge")
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "A10G" in done.out
    assert f"figures of {snapshot.date}, {path}" in done.err
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"format_version": "\\u001b[2J"}', encoding="utf-8")
    refused = run("show", "--prices", str(wrong))
    assert refused.code == 2
    assert "\x1b" not in refused.err
