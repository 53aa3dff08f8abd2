"""What the commands that fill file systems say when somebody interrupts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from headrace import efs_load
from headrace import preload as preload_room
from headrace.cli import efs, preload
from headrace.tally import Tally

LISTED = Tally(files=1, size_bytes=1)
PREPARED: Any = SimpleNamespace(contents=SimpleNamespace(tally=LISTED), listed=LISTED)


@pytest.mark.parametrize(("room", "command"), [(preload_room, preload), (efs_load, efs)])
@pytest.mark.parametrize("created", [["dev-load-1"], []])
def test_an_interruption_names_the_job_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], room: Any, command: Any, created: list[str]
) -> None:
    """And no job where none was created; the launch hears of its end, so that it takes back what it uploaded."""
    closed: list[bool] = []

    def run(_prepared: Any, _aws: Any, told: Callable[[str], None]) -> Iterator[Any]:
        try:
            for name in created:
                told(name)
            raise KeyboardInterrupt
            yield
        finally:
            closed.append(True)

    monkeypatch.setattr(room, "run", run)
    monkeypatch.setattr(preload_room, "await_imports", lambda *_given: [])
    aws: Any = None
    with pytest.raises(KeyboardInterrupt):
        command._run(PREPARED, aws)
    told = [f"the job goes on: headrace status {name}; headrace stop {name} ends it" for name in created]
    assert capsys.readouterr().err.splitlines() == told
    assert closed == [True]
