"""What is asked of AWS's Price List for each item, and what its answers say.

A price is taken where the answers leave no choice: all hits agree on one. An item with none, or with several, is left
out and named: nothing is guessed. A hit is a product whose usage type, without the prefix of its Region (``USE1-``), is
the item's; what is published for nothing, such as the throughput that EFS includes, is no hit. Of prices by tiers, the
first tier counts.
Sources: AWS Billing and Cost Management User Guide, "Using the AWS Price List Query API"; usage types: Amazon EFS User
Guide, "Understanding billing and usage reports", and AWS's offer files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.figures.prices import Item, Price, Prices

SOURCE: Final = "AWS Price List Query API"
_PREFIX: Final = re.compile(r"^(?:[A-Z]{2,4}\d?-|[a-z]{2}(?:-[a-z]+)+-\d-)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An item among the products of a question. ``usage_type``: a pattern, whose group tells the kind of the item.

    ``times``: units of the Price List in one of the item's. ``attributes``: what the product must have besides.
    """

    item: Item
    usage_type: str
    unit: str
    times: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to GetProducts. ``attributes``: what is filtered by, beside the Region in ``region_field``."""

    service_code: str
    wanted: tuple[Wanted, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    region_field: str = "regionCode"

    def filters(self, region: str) -> list[dict[str, str]]:
        """As GetProducts takes them."""
        attributes = {self.region_field: region, **self.attributes}
        return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]


QUESTIONS: Final = (
    Question(
        service_code="AmazonSageMaker",
        attributes={"component": "Training"},
        wanted=(Wanted(item=Item.TRAINING_HOUR, usage_type=r"Train:(ml\.[a-z0-9-]+\.[a-z0-9]+)", unit="Hrs"),),
    ),
    Question(
        service_code="AmazonSageMaker",
        attributes={"operation": "CreateVolume-Gp2"},
        wanted=(Wanted(item=Item.ML_VOLUME_GB_MONTH, usage_type=r"Train:VolumeUsage\.gp2", unit="GB-Mo"),),
    ),
    Question(
        service_code="AmazonS3",
        attributes={"productFamily": "Storage", "volumeType": "Standard"},
        wanted=(Wanted(item=Item.S3_STANDARD_GB_MONTH, usage_type="TimedStorage-ByteHrs", unit="GB-Mo"),),
    ),
    Question(
        service_code="AmazonS3",
        attributes={"productFamily": "API Request"},
        wanted=(
            Wanted(item=Item.S3_PUT_LIST_1000, usage_type="Requests-Tier1", unit="Requests", times=1000),
            Wanted(item=Item.S3_GET_1000, usage_type="Requests-Tier2", unit="Requests", times=1000),
        ),
    ),
    Question(
        service_code="AmazonFSx",
        attributes={"fileSystemType": "Lustre", "storageType": "SSD"},
        wanted=(
            Wanted(item=Item.LUSTRE_SCRATCH_2_GB_MONTH, usage_type="Storage", unit="GB-Mo"),
            # 50, 100 and 200 are PERSISTENT_1
            Wanted(
                item=Item.LUSTRE_PERSISTENT_2_GB_MONTH, usage_type=r"Storage\.SSD\.(125|250|500|1000)", unit="GB-Mo"
            ),
        ),
    ),
    Question(
        service_code="AmazonEFS",
        wanted=(
            Wanted(item=Item.EFS_STANDARD_GB_MONTH, usage_type="TimedStorage-ByteHrs", unit="GB-Mo"),
            Wanted(item=Item.EFS_ONE_ZONE_GB_MONTH, usage_type="TimedStorage-Z-ByteHrs", unit="GB-Mo"),
            Wanted(
                item=Item.EFS_ELASTIC_READ_GB,
                usage_type="ETDataAccess-Bytes",
                unit="GB",
                attributes={"accessType": "Read"},
            ),
            Wanted(
                item=Item.EFS_ELASTIC_WRITE_GB,
                usage_type="ETDataAccess-Bytes",
                unit="GB",
                attributes={"accessType": "Write"},
            ),
            Wanted(item=Item.EFS_PROVISIONED_MBPS_MONTH, usage_type="ProvisionedTP-MiBpsHrs", unit="MiBps-Mo"),
        ),
    ),
    Question(
        service_code="AWSDataTransfer",
        region_field="fromRegionCode",
        attributes={"transferType": "IntraRegion"},
        wanted=(Wanted(item=Item.CROSS_AZ_GB, usage_type="DataTransfer-Regional-Bytes", unit="GB"),),
    ),
    Question(
        service_code="AmazonVPC",
        attributes={"operation": "VpcEndpoint"},
        wanted=(Wanted(item=Item.INTERFACE_ENDPOINT_HOUR, usage_type="VpcEndpoint-Hours", unit="Hrs"),),
    ),
    Question(
        service_code="awskms",
        wanted=(Wanted(item=Item.KMS_KEY_MONTH, usage_type="KMS-Keys", unit="Keys"),),
    ),
    Question(
        service_code="AmazonCloudWatch",
        wanted=(
            Wanted(item=Item.ALARM_MONTH, usage_type="CW:AlarmMonitorUsage", unit="Alarms"),
            Wanted(item=Item.FLOW_LOGS_GB, usage_type="VendedLog-Bytes", unit="GB"),
        ),
    ),
)
"""All that is asked for a Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The prices of a Region, and a line for each item that is left out."""

    prices: Prices
    left_out: tuple[str, ...]


def prices_of(region: str, answers: Sequence[tuple[Question, Sequence[Mapping[str, Any]]]], date: str) -> Answers:
    """What the products that answered each question cost, as of ``date`` (ISO 8601)."""
    found: dict[tuple[Item, str], Price] = {}
    left_out = []
    for question, products in answers:
        source = f"{SOURCE}, {question.service_code}"
        for wanted in question.wanted:
            hits = _hits(wanted, products)
            if not hits:
                left_out.append(f"{wanted.item}: no price in {region} ({source}, usage type {wanted.usage_type})")
            for kind, amounts in sorted(hits.items()):
                if len(amounts) == 1:
                    found[wanted.item, kind] = Price(usd=amounts.pop(), source=source, date=date)
                else:
                    several = ", ".join(f"${each:g}" for each in sorted(amounts))
                    what = f"{wanted.item} {kind}".strip()
                    left_out.append(f"{what}: {len(amounts)} prices in {region}, {several} ({source})")
    return Answers(prices=Prices(region=region, of=found), left_out=tuple(left_out))


def _hits(wanted: Wanted, products: Iterable[Mapping[str, Any]]) -> dict[str, set[float]]:
    """The different prices of each kind of the item."""
    pattern = re.compile(wanted.usage_type)
    hits: dict[str, set[float]] = {}
    for product in products:
        attributes = product["product"]["attributes"]
        usage_type = str(attributes.get("usagetype"))
        match = pattern.fullmatch(usage_type) or pattern.fullmatch(_PREFIX.sub("", usage_type))
        if match and wanted.attributes.items() <= attributes.items():
            amounts = {round(each * wanted.times, 9) for each in _first_tiers(product, wanted.unit)}
            if amounts:
                hits.setdefault(match[1] if match.re.groups else "", set()).update(amounts)
    return hits


def _first_tiers(product: Mapping[str, Any], unit: str) -> Iterator[float]:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            usd = float(dimension["pricePerUnit"].get("USD", 0))
            if usd > 0 and dimension["unit"].lower() == unit.lower() and dimension.get("beginRange", "0") == "0":
                yield usd
