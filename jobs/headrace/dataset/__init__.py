"""What a data set is, in numbers: how many files of which sizes, in which tree, and what of it no road can take.

Pure: where the files are listed is the business of :mod:`headrace.aws` and of those who ask it.
"""

from __future__ import annotations

from headrace.dataset.profile import Profile
from headrace.dataset.profile_file import read_profile, to_plain

__all__ = ["Profile", "read_profile", "to_plain"]
