"""The order of keys, on which all that divides a listing relies: S3 has it, and not all that speak its protocol do."""

from __future__ import annotations

from headrace.aws.connection import AwsError
from headrace.dataset.pages import Page


def require_order(page: Page, after: bytes | None) -> None:
    """Raise AwsError unless all keys of the page come after a key, the last one last.

    Between the two nothing is compared: a service that leaves the order shows it at the ends of pages.
    """
    if not len(page):
        return
    first, last = page.key(0), page.key(-1)
    if first > last or (after is not None and first <= after):
        earlier, later = (first, last) if first > last else (after or b"", first)
        raise AwsError(
            f"ListObjectsV2: {_shown(later)} comes after {_shown(earlier)}: keys come in no order, or start-after is "
            "ignored: this listing cannot be divided; check AWS_ENDPOINT_URL (S3 sorts keys by their UTF-8; a "
            "directory bucket does not)"
        )


def _shown(key: bytes) -> str:
    return repr(key.decode("utf-8", "backslashreplace")[:80])
