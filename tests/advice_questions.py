"""Questions for tests of the advice."""

from __future__ import annotations

from typing import Any

from headrace.advisor.asking import Asked, question_about
from headrace.advisor.question import Question
from headrace.dataset.profile import Profile, Where, profile_of_sizes

IMAGES = profile_of_sizes("s3://lake/data/photos/", Where.S3, {35_300: 1_530_350})
"""54 GB of small images, as scenario C of the AWS post has them."""
SHARDS = profile_of_sizes("s3://lake/data/shards/", Where.S3, {150_000_000: 360})
"""The same bytes in shards."""


def question(profile: Profile = IMAGES, **asked: Any) -> Question:
    """A question, by the options of the command line."""
    return question_about(profile, Asked(**{"instance": "ml.g5.2xlarge", "samples_per_second": 330.0, **asked}))
