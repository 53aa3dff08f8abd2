"""Pages of ``headrace advise --html``: of a usual question, and of those that leave parts of a page empty or crowded.

``python -m tests.report_pages`` makes the pictures of docs/ anew, of the usual question.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from headrace.advisor.advice import advise
from headrace.advisor.plain import to_plain
from headrace.advisor.question import Fleet, Goal, Question, Spot, Workload
from headrace.advisor.report import render
from headrace.dataset.profile import Where, profile_of_sizes
from headrace.figures.instance_types import instance_type
from headrace.figures.prices import Prices, prices

from tests.browser import View, browser

DOCS = Path(__file__).resolve().parent.parent / "docs"
IMAGES = {30_000: 410_350, 35_000: 560_000, 40_000: 400_000, 44_000: 160_000}
RELATED = ("ml.g5.xlarge", "ml.g5.4xlarge", "ml.g5.8xlarge")
PICTURES = {"advise-report": (1040, 1770), "advise-report-phone": (360, 1940)}
PHONE, DESK = (360, 740), (1280, 900)

USUAL = Question(
    profile=profile_of_sizes("s3://my-lake/data/images/", Where.S3, IMAGES),
    workload=Workload(epochs=10, samples_per_second=330),
    fleet=Fleet(instance_type=instance_type("ml.g5.2xlarge")),
    prices=prices("us-east-1"),
)
QUESTIONS: Mapping[str, Question] = {
    "usual": USUAL,
    "crowded": replace(
        USUAL,
        workload=Workload(epochs=2.5, samples_per_second=330, prepared_samples_per_second=250, jobs=20),
        fleet=Fleet(
            instance_type=instance_type("ml.g5.2xlarge"), instances=4, is_sharded=True, spot=Spot(saving_percent=62.5)
        ),
        goal=Goal.TIME,
    ),
    "without prices": replace(USUAL, prices=Prices(region="xx-nowhere-1", of={})),
    "on EFS": replace(USUAL, profile=profile_of_sizes("fs-0123456789abcdef0", Where.EFS, {110_000_000: 9})),
    "too large": replace(USUAL, profile=profile_of_sizes("s3://my-lake/all/", Where.S3, {10**12: 900})),
    "tiny": replace(USUAL, profile=profile_of_sizes("s3://my-lake/few/", Where.S3, {700: 3}), workload=Workload()),
}


@cache
def advice_on(name: str) -> dict[str, Any]:
    """The advice to a question, as JSON; nobody changes it."""
    return to_plain(advise(QUESTIONS[name], [instance_type(each) for each in RELATED]))


@cache
def page_of(name: str) -> str:
    """The page of that advice."""
    return render(advice_on(name))


def main() -> None:
    """Write docs/advise-report.png and docs/advise-report-phone.png."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(page_of("usual"), encoding="utf-8")
        views = [
            View(file=str(page), width=width, height=height, picture=str(DOCS / f"{name}.png"))
            for name, (width, height) in PICTURES.items()
        ]
        browser().look(views)
    sys.stdout.write("".join(f"{each.picture}\n" for each in views))


if __name__ == "__main__":
    main()
