"""The advice on a screen: the answer first, then the roads, then what would change it, then where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from rich.console import RenderableType

    from headrace.advisor.advice import Advice
    from headrace.advisor.plans import Plan
    from headrace.advisor.ranking import Ranked
    from headrace.advisor.span import Span
    from headrace.advisor.wiring import Wiring

_NOT_KNOWN = "not known"
_CENTS_USD = 0.1
_SHOWN_RIVALS = 2
_SHOWN_ROADS = 8


def screen(advice: Advice, wiring: Wiring | None, *, shows_all: bool = False) -> Iterator[RenderableType]:
    """What is printed, part by part."""
    from rich.text import Text

    yield Text(without_controls(_title(advice)), style="bold")
    yield Text(without_controls(f"{advice.why[:1].upper()}{advice.why[1:]}."))
    if advice.ranked:
        yield _table(advice, shows_all)
        if not shows_all and (more := len(advice.ranked) - _SHOWN_ROADS) > 0:
            yield Text(f"{more} more that are worse: --all", style="dim")
    for lines in (_close(advice), _rejected(advice), _second(advice), _changes(advice), _sharing(advice)):
        yield from (Text(without_controls(each)) for each in lines)
    if wiring is not None:
        # to be pasted: never broken into lines of the terminal's width
        yield from (Text(without_controls(each), no_wrap=True) for each in _wired(wiring))
    from headrace.advisor.notes import notes_on

    yield from (Text(without_controls(f"- {each}"), style="dim") for each in notes_on(advice))


def _title(advice: Advice) -> str:
    question = advice.question
    profile, workload, fleet = question.profile, question.workload, question.fleet
    instances = f"{fleet.instances} x " if fleet.instances > 1 else ""
    epochs = f"{workload.epochs:g} epoch{'' if workload.epochs == 1 else 's'}"
    return (
        f"{profile.location}: {profile.files:,} files, {size_text(profile.size_bytes)}; "
        f"{epochs} on {instances}{fleet.instance_type.name}, {question.prices.region}"
    )


def size_text(size_bytes: float) -> str:
    """Bytes for people, in powers of ten, as AWS bills them."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:,.1f} {unit}"
    return f"{size_bytes:,.0f} bytes"


def _table(advice: Advice, shows_all: bool) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, justify in (
        ("road", "left"),
        ("cost", "right"),
        ("range", "right"),
        ("waiting", "right"),
        ("billed", "right"),
        ("range", "right"),
        ("epochs are bound by", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for number, each in enumerate(advice.ranked[: None if shows_all else _SHOWN_ROADS]):
        table.add_row(*_row(each), style="bold" if number == 0 else None)
    return table


def _row(ranked: Ranked) -> tuple[str, ...]:
    from headrace.durations import duration_text

    plan = ranked.plan
    usd = plan.usd
    return (
        f"{plan.variant.name}{' ~' if ranked.is_too_close else ''}",
        money_text(usd),
        "" if usd is None else f"{_usd(usd.low)}-{_usd(usd.high)}",
        duration_text(plan.waiting_seconds.point),
        duration_text(plan.billed_seconds.point),
        f"{_percent(plan.billed_seconds.low, plan.billed_seconds.point)} "
        f"{_percent(plan.billed_seconds.high, plan.billed_seconds.point)}",
        plan.bound.value if plan.first_bound is plan.bound else f"{plan.bound.value}; first: {plan.first_bound.value}",
    )


def money_text(usd: Span | None) -> str:
    """US dollars for people."""
    return _NOT_KNOWN if usd is None else f"${_usd(usd.point)}"


def _usd(usd: float) -> str:
    return f"{usd:,.3f}" if usd < _CENTS_USD else f"{usd:,.2f}"


def _percent(bound: float, point: float) -> str:
    return f"{100 * (bound / point - 1):+.0f} %" if point else "0 %"


def _close(advice: Advice) -> Iterator[str]:
    rivals = advice.rivals
    if not rivals:
        return
    yield "~ too close to call. One epoch can decide (headrace train, then headrace timeline):"
    told = [each.measurement for each in rivals if each.measurement is not None]
    for each in told[:_SHOWN_RIVALS]:
        name, other = each.plan.variant.name, each.other.variant.name
        yield f"    {name} rather than {other}, if its {each.phase} takes less than {each.seconds:,.0f} s"
    if len(told) > _SHOWN_RIVALS:
        yield f"    --json has {len(told) - _SHOWN_RIVALS} more"
    if len(told) < len(rivals):
        others = ", ".join(each.plan.variant.name for each in rivals if each.measurement is None)
        yield f"    no single figure of an epoch decides on {others}: measure both"


def _rejected(advice: Advice) -> Iterator[str]:
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for each in advice.rejections:
        first = each.findings[0]
        road = each.variant.road.name
        got = first.got.removeprefix(road).removeprefix(" with ").removeprefix(", ")
        roads = reasons.setdefault((f"{first.rule_id}: {got}", first.allowed, first.fix), [])
        name = f"{road}{', packed' if each.variant.is_packed else ''}"
        if name not in roads:
            roads.append(name)
    if reasons:
        yield "Not possible:"
    for (got, allowed, fix), roads in reasons.items():
        yield f"    {', '.join(roads)}: {got}; allowed: {allowed}; fix: {fix}"


def _second(advice: Advice) -> Iterator[str]:
    for number, answer in enumerate(advice.opinion.answers):
        steps = "; ".join(f"{each.question} {each.answer}" for each in answer.steps)
        lead = "The decision flow of the AWS post says" if number == 0 else "    or"
        yield f"{lead} {answer.name}: {steps}"
    for remark in advice.opinion.remarks:
        yield f"    its text: {remark}"
    if advice.disagreement:
        yield f"    it disagrees with the figures above: {advice.disagreement}"


def _changes(advice: Advice) -> Iterator[str]:
    if advice.what_ifs:
        yield "What would change it:"
    for each in advice.what_ifs:
        yield f"    {each.change}: {_in_short(each.winner)}"


def _in_short(plan: Plan) -> str:
    from headrace.durations import duration_text

    return f"{plan.variant.name}, {money_text(plan.usd)}, {duration_text(plan.elapsed_seconds.point)}"


def _sharing(advice: Advice) -> Iterator[str]:
    sharing = advice.sharing
    if sharing is None:
        return
    capacity = f"{sharing.shared.variant.capacity_gib:,} GiB"
    alone = f"A shared Lustre of {capacity} costs ${_usd(sharing.shared_usd_per_month)} a month"
    other = sharing.other.variant.name
    if sharing.jobs_per_month is None:
        yield f"{alone}, and never pays: {other} costs less even beside it"
        return
    at_once = sharing.jobs_at_once or 0.0
    many = f", of which {at_once:,.0f} run at any time" if round(at_once) > 1 else ""
    yield f"{alone}; it pays from {sharing.jobs_per_month:,.0f} such jobs a month{many}, against {other}"


def _wired(wiring: Wiring) -> Iterator[str]:
    import json

    if wiring.settings:
        yield "Settings, to merge into the environment in cdk.json (lists grow, caps rise, nothing else goes):"
        yield f"    {json.dumps(wiring.settings)}"
    yield "Then:"
    yield from (f"    {each}" for each in wiring.steps)
