"""From the advice to what makes it so: settings that are settings, job files that can be planned, safe commands."""

from __future__ import annotations

import pytest
from headrace.advisor.shape import volume_gb

from tests.advice_questions import question

GIB = 1 << 30


@pytest.mark.parametrize(
    ("asked", "copied_bytes", "gb"),
    [
        ({"instance": "ml.p3.2xlarge"}, 0, 30),
        ({"instance": "ml.p3.2xlarge"}, 27 * GIB, 30),
        ({"instance": "ml.p3.2xlarge"}, 100 * GIB, 111),
        ({"instance": "ml.p3.2xlarge", "volume_gb": 500}, 100 * GIB, 500),
        ({"instance": "ml.g5.2xlarge"}, 100 * GIB, 0),
        ({"instance": "ml.g5.2xlarge", "volume_gb": 500}, 100 * GIB, 0),
    ],
)
def test_a_volume_holds_what_is_copied_and_a_tenth_more(asked: dict[str, object], copied_bytes: int, gb: int) -> None:
    """In GiB, as SageMaker counts; NVMe takes the place of a volume."""
    assert volume_gb(question(**asked), copied_bytes) == gb
