"""What the settings of an environment cost a month, by item, from list prices on demand: before it is deployed.

Three kinds of cost: what stands there costs by the hour, whether it is used or not; what is used costs by what is
used, which no setting tells; and ephemeral Lustre costs at most what its cap allows. A price that is not known is said
to be unknown, and is in no sum. Run: ``python -m stacks.monthly_cost ENV``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.errors import InvalidInput
from headrace.figures.prices import HOURS_PER_MONTH, Item, Prices, prices
from headrace.figures.snapshot import Snapshot, read_snapshot
from headrace.rules.lustre_sizing import is_dataset_size, legal_capacity_gib

from stacks.platform_options import CDK_JSON, environments
from stacks.settings import EfsSettings, EnvironmentSettings, LustreSettings, NetworkSettings, settings_of

NOT_COUNTED: Final = (
    "training jobs, preloads among them; requests and data transfer; backups, old versions and colder classes; "
    "state machines, the reaper's among them; taxes and discounts"
)
# of the teardown and of the reaper; and of the machine that preloads. A test counts them in the templates
_CLEANUP_ALARMS: Final = 9
_PRELOAD_ALARMS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """``quantity`` of an item. None where no setting tells how much of it will be used: then it costs by ``unit``.

    ``units``: what is multiplied, for people: ``1,200 GiB``. ``usd_per_unit``: a month of it; None is unknown.
    """

    what: str
    units: str
    quantity: float | None
    usd_per_unit: float | None
    date: str | None

    @property
    def usd(self) -> float | None:
        """US dollars a month; None where the price or the quantity is not known."""
        return None if self.quantity is None or self.usd_per_unit is None else self.quantity * self.usd_per_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyCost:
    """``standing``: whether it is used or not; ``by_use``; ``at_most``: where the cap is used all month."""

    standing: tuple[Cost, ...]
    by_use: tuple[Cost, ...]
    at_most: tuple[Cost, ...]


def monthly_cost(settings: EnvironmentSettings, prices: Prices) -> MonthlyCost:
    """What an environment costs; what the rules will refuse is counted as it stands, or not at all."""
    pricing = _Pricing(prices)
    return MonthlyCost(
        standing=tuple(_standing(settings, pricing)),
        by_use=tuple(_by_use(settings, pricing)),
        at_most=tuple(_at_most(settings, pricing)),
    )


@dataclass(frozen=True, slots=True)
class _Pricing:
    prices: Prices

    def cost(
        self, what: str, item: Item, unit: str, quantity: float | None, *, kind: str = "", hours: int | None = None
    ) -> Cost:
        """``hours``: of a month, for what is paid by the hour."""
        price = self.prices.price(item, kind)
        units = unit if quantity is None else f"{quantity:,.10g} {unit}"
        return Cost(
            what=what,
            units=units,
            quantity=quantity,
            usd_per_unit=None if price is None else price.usd * (hours or 1),
            date=None if price is None else price.date,
        )


def _standing(settings: EnvironmentSettings, pricing: _Pricing) -> Iterator[Cost]:
    lustre, network = settings.lustre, settings.network
    if lustre.enabled and (capacity := _capacity_gib(lustre)) is not None:
        is_scratch = lustre.deployment_type == "SCRATCH_2"
        throughput = "" if is_scratch else str(lustre.per_unit_storage_throughput_mbps_per_tib)
        item = Item.LUSTRE_SCRATCH_2_GB_MONTH if is_scratch else Item.LUSTRE_PERSISTENT_2_GB_MONTH
        kind = f", {throughput} MB/s per TiB" if throughput else ""
        what = f"shared Lustre, {lustre.deployment_type}{kind}"
        yield pricing.cost(what, item, "GiB", capacity, kind=throughput)
    if settings.efs.enabled and settings.efs.provisioned_throughput_mibps is not None:
        throughput_mibps = settings.efs.provisioned_throughput_mibps
        yield pricing.cost("EFS, provisioned throughput", Item.EFS_PROVISIONED_MBPS_MONTH, "MiB/s", throughput_mibps)
    if endpoints := sorted(name for name, is_on in network.interface_endpoints.items() if is_on):
        zones = _zones(network)
        what = f"interface endpoints {', '.join(endpoints)} in {zones} zones"
        count = len(endpoints) * zones
        yield pricing.cost(what, Item.INTERFACE_ENDPOINT_HOUR, "endpoints", count, hours=HOURS_PER_MONTH)
    if settings.kms_key == "new":
        yield pricing.cost("KMS key", Item.KMS_KEY_MONTH, "key", 1)
    if alarms := _alarms(settings):
        yield pricing.cost("alarms", Item.ALARM_MONTH, "alarms", alarms)


def _by_use(settings: EnvironmentSettings, pricing: _Pricing) -> Iterator[Cost]:
    yield pricing.cost("S3 Standard", Item.S3_STANDARD_GB_MONTH, "GB-month stored", None)
    if settings.efs.enabled:
        yield from _efs_by_use(settings.efs, pricing)
    if settings.network.existing is None and settings.network.flow_logs:
        yield pricing.cost("flow logs", Item.FLOW_LOGS_GB, "GB taken in", None)


def _efs_by_use(efs: EfsSettings, pricing: _Pricing) -> Iterator[Cost]:
    item = Item.EFS_ONE_ZONE_GB_MONTH if efs.one_zone else Item.EFS_STANDARD_GB_MONTH
    yield pricing.cost(f"EFS {'One Zone' if efs.one_zone else 'Standard'}", item, "GB-month stored", None)
    # an adopted file system keeps the mode that it has
    if efs.adopt is None and efs.throughput_mode in (None, "elastic"):
        yield pricing.cost("EFS, elastic reads", Item.EFS_ELASTIC_READ_GB, "GB read", None)
        yield pricing.cost("EFS, elastic writes", Item.EFS_ELASTIC_WRITE_GB, "GB written", None)


def _at_most(settings: EnvironmentSettings, pricing: _Pricing) -> Iterator[Cost]:
    if settings.ephemeral.enabled:
        what = "ephemeral Lustre, as much as the cap allows, all month"
        yield pricing.cost(what, Item.LUSTRE_SCRATCH_2_GB_MONTH, "GiB", settings.ephemeral.max_gib)


def _capacity_gib(lustre: LustreSettings) -> int | None:
    if lustre.storage_capacity_gib is not None:
        return lustre.storage_capacity_gib
    is_size = lustre.dataset_gib is not None and is_dataset_size(lustre.dataset_gib)
    return legal_capacity_gib(lustre.dataset_gib or 0).storage_capacity_gib if is_size else None


def _zones(network: NetworkSettings) -> int:
    if network.existing is not None:
        return len({each.az_id for each in network.existing.subnets})
    return len(network.availability_zone_ids or network.availability_zones or ())


def _alarms(settings: EnvironmentSettings) -> int:
    lustre = settings.lustre
    is_idle_told = lustre.enabled and lustre.idle_alarm_hours is not None
    is_preloaded = lustre.enabled and lustre.preload is not None
    return is_idle_told + _PRELOAD_ALARMS * is_preloaded + _CLEANUP_ALARMS * settings.ephemeral.enabled


def lines(cost: MonthlyCost) -> Iterator[str]:
    """For people: the items, and the sum of those whose price is known."""
    for each in cost.standing:
        yield f"  {_padded(each.what)} {each.units:>14}  {_money(each.usd):>12}  {_as_of(each)}".rstrip()
    known = [each.usd for each in cost.standing if each.usd is not None]
    unknown = len(cost.standing) - len(known)
    rest = f", and {unknown} of unknown price" if unknown else ""
    yield f"  {_padded('together, used or not')} {'':>14}  {_money(sum(known)):>12}{rest}"
    for each in cost.at_most:
        yield f"  at most, besides: {each.what}, {each.units}: {_money(each.usd)} {_as_of(each)}".rstrip()
    for each in cost.by_use:
        yield f"  by use: {each.what}: {_price(each.usd_per_unit)} for a {each.units} {_as_of(each)}".rstrip()
    yield f"  not counted: {NOT_COUNTED}"


def _padded(text: str) -> str:
    return f"{text:<58}"


def _money(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:,.2f}"


def _price(usd: float | None) -> str:
    """With all its digits, and with cents."""
    is_of_cents = usd is not None and usd == round(usd, 2)
    return _money(usd) if usd is None or is_of_cents else f"${usd:g}"


def _as_of(cost: Cost) -> str:
    return "" if cost.date is None else f"(as of {cost.date})"


def report(environment: str, settings: EnvironmentSettings, region: str | None, snapshot: Snapshot) -> Iterator[str]:
    """All that is printed; ``region``: None where neither the settings nor the shell say it."""
    where = "an unknown Region" if region is None else region
    source = "the shipped figures" if settings.prices is None else settings.prices
    yield f"monthly cost of {environment} in {where}, list prices of {source}, {snapshot.date}:"
    found = Prices(region=where, of={}) if region is None else prices(region, snapshot)
    yield from lines(monthly_cost(settings, found))
    if not found.of:
        yield (
            f"  no price of {where} is known: headrace prices update --region REGION, and name its file in the setting "
            "prices"
        )


def main(arguments: Sequence[str], cdk_json: Path = CDK_JSON) -> int:
    """Print what an environment of cdk.json costs; 2 with one line on stderr for each mistake."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m stacks.monthly_cost ENV\n")
        return 2
    (environment,) = arguments
    try:
        settings = settings_of(environments(cdk_json), environment)
        snapshot = read_snapshot(None if settings.prices is None else cdk_json.parent / settings.prices)
    except InvalidInput as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.problems))
        return error.exit_code
    region = settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    sys.stdout.write("".join(f"{line}\n" for line in report(environment, settings, region, snapshot)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
