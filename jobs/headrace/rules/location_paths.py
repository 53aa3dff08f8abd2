"""Rules of S3 keys that become paths: in File and FastFile mode, and in a Lustre that shows a prefix.

In Pipe mode no file is made, so keys may be what they like; of a manifest only its own key is known.
Sources: the service's own messages on failed downloads ("illegal char sub-sequence '//'"); Amazon SageMaker Developer
Guide, "How Amazon SageMaker AI Provides Training Information" (FastFile: a prefix must not be a part of a folder's
name, and a slash at its end is recommended); POSIX for what a file's name may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.locations import MAX_EXAMPLES, DataSpec
from headrace.rules.s3_names import posix_rule_broken
from headrace.rules.values import finding, finding_in_words, shown

_SHOWN_CHARACTERS: Final = 80


@rule("V53")
def keys_are_paths(spec: DataSpec) -> Iterator[Finding]:
    """Keys become paths: no empty folder names, nothing that a file system takes for something else."""
    for location in spec.locations:
        if not location.makes_files:
            continue
        fix = "copy the objects to other keys"
        if broken := path_rule_broken(location.prefix):
            yield finding("V53", location.field, location.prefix, broken, fix)
            continue
        keys = [each.key for each in location.known_objects if path_rule_broken(each.key)]
        if keys:
            shown_keys = keys[:MAX_EXAMPLES]
            got = f"{', '.join(map(shown, shown_keys))}{location.and_more(len(keys) - len(shown_keys))}"
            allowed = " and ".join(dict.fromkeys(filter(None, map(path_rule_broken, shown_keys))))
            yield finding_in_words("V53", location.field, got, allowed, fix)


def path_rule_broken(key: str) -> str | None:
    """What a key must be to become a path; None for one that is."""
    return "no '//' in a key, on which the download fails" if "//" in key else posix_rule_broken(key)


@rule("V130")
def no_object_is_also_a_folder(spec: DataSpec) -> Iterator[Finding]:
    """A key is not also the folder of another: a file system has only one of them."""
    for location in spec.locations:
        keys = [each.key for each in location.known_objects if location.makes_files]
        folders = {"/".join(key.split("/")[:depth]) for key in keys for depth in range(1, key.count("/") + 1)}
        clashes = [key for key in keys if key in folders]
        if clashes:
            told = [repr(key[:_SHOWN_CHARACTERS]) for key in clashes[:MAX_EXAMPLES]]
            got = f"{', '.join(told)}{location.and_more(len(clashes) - len(told))}"
            allowed = "no object whose key is also the folder of others"
            yield finding_in_words("V130", location.field, got, allowed, "copy it to another key")


@rule("V140")
def mounted_prefix_is_a_folder(spec: DataSpec) -> Iterator[Finding]:
    """FastFile shows folders: its prefix is no part of a name, and a slash at its end says which folder is meant."""
    for location in spec.locations:
        if not location.is_mounted or not location.prefix or location.prefix.endswith("/"):
            continue
        folder = f"{location.prefix}/"
        other = next((each.key for each in location.known_objects if not each.key.startswith(folder)), None)
        got = f"{location.uri}{'' if other is None else f', which also begins {other[:_SHOWN_CHARACTERS]!r}'}"
        allowed = "a prefix that ends with '/': part of a name is refused, and without it another may be meant"
        level = Level.WARNING if other is None else Level.ERROR
        yield finding_in_words("V140", location.field, got, allowed, f"{folder} (or File mode)", level)


PATH_RULES: tuple[Rule[Any], ...] = (keys_are_paths, no_object_is_also_a_folder, mounted_prefix_is_a_folder)
"""Further rules of one :class:`DataSpec`."""
