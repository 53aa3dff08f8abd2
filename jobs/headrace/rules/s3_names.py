"""Which names of buckets and prefixes are legal, as a place of training data.

S3 takes nearly any key; a training job sees keys as files, so a prefix must also be a legal path. A prefix ends up
in IAM policies, too, where ``*`` and ``?`` would open more than was asked for.

Sources: Amazon S3 User Guide, "Bucket naming rules" and "Naming Amazon S3 objects" (read 2026-11); IAM
User Guide, "IAM JSON policy elements: Resource" (wildcards); POSIX.1-2017, 3.170 Filename, NAME_MAX of Linux.
"""

from __future__ import annotations

import re
from typing import Final

MAX_KEY_BYTES: Final = 1024
MAX_FILE_NAME_BYTES: Final = 255

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--xa-s3", "--table-s3")
_POLICY_CHARACTERS: Final = ("*", "?", "${")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def bucket_rule_broken(bucket: object) -> str | None:
    """What is allowed for a bucket's name, if this is none; None if it is one."""
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        return "3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends"
    if ".." in bucket or _IP_ADDRESS.fullmatch(bucket):
        return "no two dots side by side, and no IP address"
    if bucket.startswith(_RESERVED_STARTS):
        return f"no name that begins with {', '.join(_RESERVED_STARTS)}, which S3 reserves"
    if bucket.endswith(_RESERVED_ENDS):
        return f"no name that ends in {', '.join(_RESERVED_ENDS)}: aliases, directory and table buckets are no source"
    return None


def prefix_rule_broken(prefix: object) -> str | None:
    """What is allowed for a prefix, if this is none; None if it is one. An empty prefix is the whole bucket."""
    if not isinstance(prefix, str):
        return "text: a prefix that ends in '/', or '' for the whole bucket"
    if prefix.startswith("/") or (prefix and not prefix.endswith("/")):
        return "no '/' at the start and one at the end, such as data/images/"
    if any(each in prefix for each in _POLICY_CHARACTERS):
        return "none of * ? ${, which are wildcards and variables in the roles' policies"
    if _length_bytes(prefix) > MAX_KEY_BYTES:
        return f"at most {MAX_KEY_BYTES} bytes of UTF-8"
    return None


def posix_rule_broken(prefix: str) -> str | None:
    """What is allowed for a prefix as a path of directories, if this is none; None if it is one."""
    names = prefix.split("/")
    if "." in names or ".." in names:
        return "no directory named . or .., which a file system takes for something else"
    if _CONTROL.search(prefix):
        return "no control characters or line breaks"
    if any(_length_bytes(name) > MAX_FILE_NAME_BYTES for name in names):
        return f"directory names of at most {MAX_FILE_NAME_BYTES} bytes"
    return None


def _length_bytes(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogatepass"))
