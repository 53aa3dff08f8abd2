"""A profile in the terminal: bars for what is to be compared, one line for what is to be known.

Keys and classes come from S3: control characters are taken out before a terminal sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from headrace.cli.plain_text import counted, without_controls
from headrace.dataset.profile import Profile, Quantiles, SampleError, Unusable, Where

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SHOWN_FORMATS: Final = 8
_MOST_BAR: Final = 32
_LEAST_BAR: Final = 8
_EXAMPLE_CHARACTERS: Final = 60
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_KINDS: Final = {True: "many samples a file", False: "one sample a file", None: ""}


def screen(profile: Profile, width_characters: int) -> Iterator[RenderableType]:
    """The profile, from the whole to what is wrong with it, and what to do next."""
    bar_characters = max(_LEAST_BAR, min(_MOST_BAR, (width_characters - 60) // 2))
    yield from _head(profile)
    if profile.quantiles is not None:
        yield Padding(_quantiles(profile.quantiles), (0, 0, 1, 2))
    yield _sizes(profile, bar_characters)
    yield _formats(profile, bar_characters)
    yield from _tree(profile)
    for each in profile.unusable:
        yield _unusable(each)
    for note in profile.notes:
        yield Text(without_controls(f"note: {note}"), style="dim")
    yield Text(
        "next: headrace advise --profile profile.json (what --json prints; headrace profile … --json > profile.json)"
    )


def bytes_text(size_bytes: float) -> str:
    """Bytes as people say them: ``512 B``, ``1.5 KiB``, ``23 GiB``."""
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:
        size_bytes /= 1024
        unit += 1
    digits = 0 if unit == 0 or size_bytes >= 100 or size_bytes == int(size_bytes) else 1
    return f"{size_bytes:.{digits}f} {_UNITS[unit]}"


def bar_text(share: float, width_characters: int) -> str:
    """A bar of so much of the width, in eighths of a character; something that is there is always seen."""
    eighths = round(share * width_characters * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _head(profile: Profile) -> Iterator[Text]:
    facts = [profile.location]
    if profile.where is Where.EFS:
        facts.append("EFS")
    facts += [each for each in (profile.region, profile.taken) if each is not None]
    yield Text(without_controls("  ".join(facts)), style="bold")
    error = profile.sample_error
    about = "about " if error is not None else ""
    yield Text(
        f"  {about}{counted(profile.files, 'file')}, {bytes_text(profile.size_bytes)}, "
        f"{bytes_text(profile.mean_bytes)} on average"
        + (f"; {counted(profile.folder_markers, 'folder marker')}" if profile.folder_markers else "")
    )
    if error is not None:
        yield _sample_error(error)


def _sample_error(error: SampleError) -> Text:
    return Text(
        f"  estimated from {counted(error.listed, 'file')}; in nine of ten samples {error.files_low:,} to "
        f"{error.files_high:,} files, {bytes_text(error.size_bytes_low)} to {bytes_text(error.size_bytes_high)}"
    )


def _quantiles(quantiles: Quantiles) -> Text:
    named = (
        ("smallest", quantiles.smallest_bytes),
        ("10 %", quantiles.p10_bytes),
        ("median", quantiles.p50_bytes),
        ("90 %", quantiles.p90_bytes),
        ("99 %", quantiles.p99_bytes),
        ("largest", quantiles.largest_bytes),
    )
    return Text(" · ".join(f"{name} {bytes_text(size_bytes)}" for name, size_bytes in named))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1), header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in ("files", "bytes") else "left", no_wrap=name != "what it is")
    return table


def _sizes(profile: Profile, bar_characters: int) -> Table:
    table = _table("size", "files", "", "bytes", " ")
    most = max((each.files for each in profile.sizes), default=1)
    most_bytes = max((each.size_bytes for each in profile.sizes), default=1) or 1
    for each in profile.sizes:
        table.add_row(
            "empty" if each.to_bytes == 1 else f"{bytes_text(each.from_bytes)} to {bytes_text(each.to_bytes)}",
            f"{each.files:,}",
            Text(bar_text(each.files / most, bar_characters), style="cyan"),
            bytes_text(each.size_bytes),
            Text(bar_text(each.size_bytes / most_bytes, bar_characters), style="green"),
        )
    return table


def _formats(profile: Profile, bar_characters: int) -> Table:
    table = _table("format", "files", "", "bytes", "what it is")
    most = max((each.files for each in profile.formats), default=1)
    for each in profile.formats[:_SHOWN_FORMATS]:
        what = ", ".join(filter(None, (each.content, _KINDS[each.is_container])))
        table.add_row(
            Text(without_controls({"": "no suffix", "*": "all others"}.get(each.suffix, each.suffix))),
            f"{each.files:,}",
            Text(bar_text(each.files / most, bar_characters), style="cyan"),
            bytes_text(each.size_bytes),
            Text(what),
        )
    if len(profile.formats) > _SHOWN_FORMATS:
        rest = profile.formats[_SHOWN_FORMATS:]
        size_bytes = sum(each.size_bytes for each in rest)
        table.add_row(f"{len(rest)} more", f"{sum(each.files for each in rest):,}", "", bytes_text(size_bytes), "")
    return table


def _tree(profile: Profile) -> Iterator[Text]:
    if (tree := profile.tree) is not None:
        yield Text(
            f"{counted(tree.folders, 'folder')} with files, at most {counted(tree.most_files, 'file')} in one; "
            f"depth {tree.depth_mean:g} on average, at most {tree.depth_most}"
        )
    if profile.storage_classes:
        total = max(1, profile.files)
        shares = (
            f"{each.storage_class} {100 * each.files / total:.3g} % of the files, {bytes_text(each.size_bytes)}"
            for each in profile.storage_classes
        )
        yield Text(without_controls(f"storage classes: {'; '.join(shares)}"))


def _unusable(each: Unusable) -> Text:
    examples = ", ".join(repr(key[:_EXAMPLE_CHARACTERS]) for key in each.examples)
    return Text(
        without_controls(
            f"{each.rule_id}: {counted(each.files, 'file')} not for {', '.join(each.roads)}; "
            f"allowed: {each.reason}; such as {examples}"
        ),
        style="yellow",
    )
