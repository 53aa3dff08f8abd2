"""What a channel needs for as long as the job's command runs: a mount, a writer of FIFOs, or nothing."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from threading import Lock

from headrace_local.runner.job import JobFailed


def _nothing_to_end() -> None:
    pass


def _no_failure() -> None:
    return None


class Supply:
    """A channel that has been brought. ``notice`` is a line for the job's log, if there is anything to say."""

    def __init__(
        self,
        *,
        notice: str | None = None,
        end: Callable[[], None] = _nothing_to_end,
        failure: Callable[[], str | None] = _no_failure,
    ) -> None:
        self.notice = notice
        self._end: Callable[[], None] | None = end
        self._failure = failure
        self._closing = Lock()

    @property
    def failure(self) -> str | None:
        """Why the channel broke while the command read it, as a FailureReason; None as long as all is well.

        What the command has read is then not what was asked for: the job has failed, whatever the command says.
        """
        return self._failure()

    def close(self) -> None:
        """End what feeds the channel; a second call does nothing, and no call raises."""
        with self._closing:
            end, self._end = self._end, None
            if end is None:
                return
            try:
                end()
            except Exception:  # the job has ended: what is wrong here belongs in the server's log, not in its result
                traceback.print_exc()


def notices(supplies: Sequence[Supply]) -> list[str]:
    """What the channels have to say, each thing once."""
    return list(dict.fromkeys(each.notice for each in supplies if each.notice is not None))


def broken(supplies: Sequence[Supply]) -> str | None:
    """Why the first channel that broke did, as a FailureReason; None as long as all is well."""
    return next((reason for each in supplies if (reason := each.failure) is not None), None)


def require_whole(supplies: Sequence[Supply]) -> None:
    """Raises JobFailed where a channel broke while it was read."""
    reason = broken(supplies)
    if reason is not None:
        raise JobFailed(reason)
