"""Locks that the system frees when their holder dies: how one process knows that another lives."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


class LockHeld(Exception):
    """Another process (or another part of this one) holds the lock."""


def take(path: Path, seconds: float = 0.0) -> FileLock:
    """Take the lock at `path`; it is held until it is released or this process ends, however it ends.

    Args:
        path: a file, made if it is not there.
        seconds: how long to try. Whoever looks whether a lock is held may be in the way for an instant, so 0 is
            only for those who try again.

    Raises:
        LockHeld: if somebody else has held it all that time.
        OSError: if the file system has no locks, or the file cannot be made.
    """
    if not path.parent.is_dir():  # the library would make it, and so bring back what has just been deleted
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    # fallback_to_soft: a file that merely exists says nothing about a dead holder.
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(timeout=seconds, poll_interval=0.02)
    except Timeout:
        raise LockHeld(str(path)) from None
    except NotImplementedError as error:
        raise OSError(errno.ENOSYS, "this file system has no locks", str(path)) from error
    return lock


@contextlib.contextmanager
def hold(path: Path, seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` for a while; arguments and errors are those of `take`."""
    lock = take(path, seconds)
    try:
        yield
    finally:
        lock.release(force=True)


def is_held(path: Path) -> bool | None:
    """Return whether anybody holds the lock at `path`; None where the file system cannot tell.

    Those who look do not get in each other's way (a shared lock), except on Windows.
    """
    if sys.platform == "win32":
        if not path.exists():
            return False
        try:
            take(path).release(force=True)
        except LockHeld:
            return True
        except OSError:
            return None
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    else:
        return False
    finally:
        os.close(descriptor)
