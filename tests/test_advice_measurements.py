"""The advice beside measured jobs: the post's twelve, and the twelve that its authors ran again."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.advice_error import Row, left_out, rows, winners

POST, BENCHER = "post_2022.csv", "bencher_2022.csv"


@cache
def _rows(table: str) -> list[Row]:
    return rows(table)


def _errors(table: str) -> list[float]:
    return [abs(each.error()) for each in _rows(table)]


@pytest.mark.parametrize(("table", "mean", "worst"), [(POST, 0.06, 0.15), (BENCHER, 0.10, 0.21)])
def test_predictions_are_near_what_was_measured(table: str, mean: float, worst: float) -> None:
    """The second table shares code and instance type with the first, and differs from it by as much as jobs do."""
    errors = _errors(table)
    assert len(errors) == 12
    assert sum(errors) / len(errors) <= mean
    assert max(errors) <= worst


@pytest.mark.parametrize("table", [POST, BENCHER])
def test_the_quickest_road_of_each_scenario_is_found(table: str) -> None:
    """Two roads that are no further apart than the figure can be read are the same."""
    found = list(winners(_rows(table)))
    assert [scenario for scenario, *_ in found] == ["A", "B", "C", "D"]
    assert all(same for *_, same in found), found


@pytest.mark.parametrize("table", [POST, BENCHER])
def test_intervals_hold_what_was_measured(table: str) -> None:
    """Eleven of twelve, and none of them by being wide."""
    spans = [(each.predicted().billed_seconds, each.seconds) for each in _rows(table)]
    assert sum(span.low <= seconds <= span.high for span, seconds in spans) >= 11
    assert all(0.75 * span.point <= span.low <= span.point <= span.high <= 1.25 * span.point for span, _ in spans)


def test_no_scenario_carries_its_own_prediction() -> None:
    """With rates fitted to the three other scenarios and to other sources, the fourth is still near."""
    for scenario, mean, worst in left_out(_rows(POST)):
        assert mean <= 0.10, scenario
        assert worst <= 0.20, scenario
