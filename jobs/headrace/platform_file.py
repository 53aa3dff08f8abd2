"""A platform's record as one file: what ``headrace platform`` prints and ``headrace plan`` reads, part by part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headrace.errors import InvalidInput
from headrace.platform import PARTS, Platform, parse_platform, to_plain


def to_file(platform: Platform) -> dict[str, Any]:
    """The parts by name, as plain lists and dicts."""
    parts = [part for part in (platform.foundation, platform.lustre, platform.ephemeral) if part is not None]
    return {part.part: to_plain(part) for part in parts}


def read_file(path: Path) -> Platform:
    """The platform of a file. Raises InvalidInput when it cannot be read or holds no platform."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"{path}: no such file; write it with: headrace platform > {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: not a platform's record: {error}; write it with: headrace platform") from None
    if not isinstance(plain, dict) or "foundation" not in plain:
        raise InvalidInput(f"{path}: holds no part 'foundation'; write it with: headrace platform > {path}")
    return parse_platform(str(path), {f"{path}/{name}": json.dumps(plain[name]) for name in PARTS if name in plain})
