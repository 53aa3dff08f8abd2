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
from PIL import Image

from tests.browser import View, browser

DOCS = Path(__file__).resolve().parent.parent / "docs"
IMAGES = {30_000: 410_350, 35_000: 560_000, 40_000: 400_000, 44_000: 160_000}
RELATED = ("ml.g5.xlarge", "ml.g5.4xlarge", "ml.g5.8xlarge")
PICTURES = {"advise-report": (1040, "sharing"), "advise-report-phone": (360, "time")}
COLOURS = 256
PHONE, DESK = (360, 740), (1280, 900)

US_EAST_1 = prices("us-east-1")
WITHOUT_EFS = replace(US_EAST_1, of={key: price for key, price in US_EAST_1.of.items() if not key[0].startswith("efs")})

USUAL = Question(
    profile=profile_of_sizes("s3://my-lake/data/images/", Where.S3, IMAGES),
    workload=Workload(epochs=10, samples_per_second=330),
    fleet=Fleet(instance_type=instance_type("ml.g5.2xlarge")),
    prices=US_EAST_1,
)
QUESTIONS: Mapping[str, Question] = {
    "usual": USUAL,
    "crowded": replace(
        USUAL,
        workload=Workload(epochs=2.5, samples_per_second=330, prepared_samples_per_second=250, jobs=20),
        fleet=Fleet(
            instance_type=instance_type("ml.g5.2xlarge"), instances=4, is_sharded=True, spot=Spot(saving_percent=62.5)
        ),
        prices=WITHOUT_EFS,
        goal=Goal.TIME,
    ),
    "without prices": replace(USUAL, prices=Prices(region="xx-nowhere-1", of={})),
    "on EFS": replace(USUAL, profile=profile_of_sizes("fs-0123456789abcdef0", Where.EFS, {110_000_000: 9})),
    "too large": replace(USUAL, profile=profile_of_sizes("s3://my-lake/all/", Where.S3, {10**12: 30})),
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
            View(
                file=str(page),
                width=width,
                height=DESK[1],
                picture=str(DOCS / f"{name}.png"),
                until=f"section[aria-labelledby={section}]",
            )
            for name, (width, section) in PICTURES.items()
        ]
        browser().look(views)
    for each in views:
        assert each.picture is not None
        with Image.open(each.picture) as picture:
            few_colours = picture.convert("RGB").quantize(COLOURS)
        few_colours.save(each.picture, optimize=True)
        sys.stdout.write(f"{each.picture}\n")


if __name__ == "__main__":
    main()
