"""A source under a name: what one element of CreateTrainingJob's InputDataConfig says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from headrace.sources import Reach, Source, road_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A named input; the script finds it at ``/opt/ml/input/data/<name>``."""

    name: str
    source: Source


def to_request(channel: Channel) -> dict[str, Any]:
    """The element of InputDataConfig for this channel."""
    source = channel.source
    return {
        "ChannelName": channel.name,
        "InputMode": road_of(source).input_mode,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": source.location.uri,
                "S3DataDistributionType": source.distribution.value,
            }
        },
    }


def reach_of(channels: Iterable[Channel]) -> Reach:
    """The narrowest of the platform's roles that reads all these channels."""
    reaches = {road_of(channel.source).reach for channel in channels}
    if len(reaches) > 1:
        return Reach.BOTH
    return reaches.pop() if reaches else Reach.S3
