"""A source under a name: what one element of CreateTrainingJob's InputDataConfig says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from headrace.platform import Platform
from headrace.roads import Place, Reach
from headrace.rules import Finding, Level, final, run_rules
from headrace.rules.channels import CHANNEL_RULES, ChannelSpec
from headrace.rules.platform_roads import LINK_RULES, LinkSpec
from headrace.rules.s3_location import LOCATION_RULES, WrittenLocation
from headrace.sources import S3Location, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A named input; the script finds it at ``/opt/ml/input/data/<name>``."""

    name: str
    source: Source


def to_request(channel: Channel, platform: Platform) -> dict[str, Any]:
    """The element of InputDataConfig for this channel. Raises InvalidInput when the platform has not what it names."""
    return {
        "ChannelName": channel.name,
        **channel.source.channel_members(),
        "DataSource": channel.source.data_source(platform),
    }


def reach_of(channels: Iterable[Channel]) -> Reach:
    """The narrowest of the platform's roles that reads all these channels."""
    reaches = {channel.source.road.reach for channel in channels}
    if len(reaches) > 1:
        return Reach.BOTH
    return reaches.pop() if reaches else Reach.S3


def spec_of(channel: Channel) -> ChannelSpec:
    """The channel as the rules see it: only what differs from the defaults counts as said."""
    source = channel.source
    said = {each.name: getattr(source, each.name) for each in fields(source)}
    changed = {each.name: said[each.name] for each in fields(source) if said[each.name] != each.default}
    return ChannelSpec(
        name=channel.name,
        places=(source.road.place,),
        input_mode=source.road.input_mode,
        directory=said.get("path"),
        # a record has no fields but its road's; the path of an EFS is its source, and no option
        options={name: value for name, value in changed.items() if name in source.road.options},
    )


def judged(spec: ChannelSpec, link: LinkSpec, location: WrittenLocation | None) -> tuple[list[Finding], bool]:
    """What the rules say of one channel, and whether a channel can be made of it: its errors are final.

    ``location``: in S3, if that is where the data lies.
    """
    found = [*run_rules(CHANNEL_RULES, spec), *run_rules(LINK_RULES, link)]
    if location is not None:
        found += run_rules(LOCATION_RULES, location)
    return final(found), all(each.level is not Level.ERROR for each in found)


def link_spec(name: str, link: str | None, uses_efs: bool, platform: Platform) -> LinkSpec:
    """What a channel names of the platform's file systems, as the rules see it. ``link``: of the Lustre, by name."""
    return LinkSpec(
        field=f"channels.{name}",
        platform=platform.foundation.platform,
        link=link,
        uses_efs=uses_efs,
        links=None if platform.lustre is None else tuple(each.name for each in platform.lustre.links),
        has_efs=platform.foundation.efs is not None,
        has_machines=platform.ephemeral is not None,
    )


def link_spec_of(channel: Channel, platform: Platform) -> LinkSpec:
    """The same of a channel that is a record."""
    link: str | None = getattr(channel.source, "link", None)
    return link_spec(channel.name, link, channel.source.road.place is Place.EFS, platform)


def written_location_of(channel: Channel) -> WrittenLocation | None:
    """Where in S3 the data of a channel that is a record lies, as its rule sees it."""
    location: S3Location | None = getattr(channel.source, "location", None)
    return None if location is None else WrittenLocation(f"channels.{channel.name}.s3", location.uri)
