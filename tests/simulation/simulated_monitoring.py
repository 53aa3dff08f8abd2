"""Amazon CloudWatch and Amazon SNS, as far as the reaper asks and tells: connected clients, and a message to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.clock import Clock, seconds_of, timestamp
from tests.simulation.state_errors import StateError


class SimulatedCloudWatch:
    """ClientConnections of a file system: what was connected at any time of the interval, some minutes ago."""

    def __init__(self, clock: Clock, connections: Callable[[str, float, float], int | None]) -> None:
        self._clock = clock
        self._connections = connections  # of a file system between two times; None: there is no data

    def get_metric_statistics(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if (arguments["Namespace"], arguments["MetricName"]) != ("AWS/FSx", "ClientConnections"):
            raise StateError("CloudWatch.InvalidParameterValueException", "no such metric here")
        [dimension] = arguments["Dimensions"]
        assert dimension["Name"] == "FileSystemId"
        start, end = seconds_of(arguments["StartTime"]), seconds_of(arguments["EndTime"])
        found = self._connections(dimension["Value"], start, end)
        point = {"Timestamp": timestamp(end - arguments["Period"]), "Maximum": float(found or 0), "Unit": "Count"}
        return {"Label": "ClientConnections", "Datapoints": [] if found is None else [point]}


class SimulatedSns:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.messages: list[tuple[float, str]] = []

    def publish(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if len(arguments.get("Subject", "")) > 100:
            raise StateError("Sns.InvalidParameterException", "Invalid parameter: Subject")
        self.messages.append((self._clock.now, arguments["Message"]))
        return {"MessageId": f"message-{len(self.messages)}"}
