"""The table of ways: one row for each road."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from headrace.advisor.efs_road import efs_passage
from headrace.advisor.lustre_road import lustre_passage
from headrace.advisor.question import Question
from headrace.advisor.reading import Passage
from headrace.advisor.s3_roads import fast_file_passage, file_passage, pipe_passage
from headrace.advisor.shape import Shape
from headrace.advisor.variants import Variant
from headrace.roads import EFS, LUSTRE, S3_FAST_FILE, S3_FILE, S3_PIPE, Road

_PASSAGES: Final[Mapping[Road, Callable[[Variant, Question, Shape], Passage]]] = {
    S3_FILE: file_passage,
    S3_FAST_FILE: fast_file_passage,
    S3_PIPE: pipe_passage,
    LUSTRE: lustre_passage,
    EFS: efs_passage,
}


def passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """The way on a variant's road. ``shape``: of the data set, packed where the variant is."""
    return _PASSAGES[variant.road](variant, question, shape)
