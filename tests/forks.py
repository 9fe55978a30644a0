"""Processes to be killed: one that imports once and forks a child for every line "job url path" on its input; and its other end, Forks.

A child says its lines as it goes, "done" at its end: a new Python for each would cost two seconds of imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from briefs.schedule import Post, look
from store.engine import open_store
from store.serving import serving
from tests.mail_server import mailing
from tests.servers import ROOT
from tests.small_city import TZ
from upkeep.restore import Task, restore
from upkeep.upgrade import upgrade

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def say(words: str) -> None:
    """One line to the parent, at once."""
    os.write(1, f"{words}\n".encode())


def run_upgrade(url: str, path: str) -> None:
    """One upgrade to its end; `path` holds further revisions."""
    store = open_store(url, TZ)
    upgrade(store, now=NOW, say=say, versions=(Path(path),))
    store.dispose()


def run_restore(url: str, path: str) -> None:
    """One restore of the archive at `path` to its end."""
    say("begun")
    restore(Task(Path(path), NOW, say=say), url)


def hold(url: str, path: str) -> None:
    """Work on the store, as a server does, until killed."""
    with serving(open_store(url, TZ), "serve"):
        say("holding")
        signal.pause()


def run_post(url: str, path: str) -> None:
    """One look for letters; the file says at which instant, over which port, to whom."""
    told = json.loads(Path(path).read_text())
    now = datetime.fromisoformat(told["now"])
    look(Post(open_store(url, TZ), mailing(told["port"], send_to=tuple(told["send_to"])), lambda: now))


JOBS: Mapping[str, Callable[[str, str], None]] = {"upgrade": run_upgrade, "restore": run_restore, "hold": hold, "post": run_post}


class Forks:
    """The test's end. One job at a time: `lines` tells what it says, `kill` ends it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tests.forks"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.pid = 0
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def lines(self, job: str, url: str, path: Path) -> Iterator[str]:
        """Run it; its lines until it is dead. Fails when it does."""
        assert self.process.stdin
        self.process.stdin.write(f"{job} {url} {path}\n")
        self.process.stdin.flush()
        self.pid = int(self._line().split()[1])
        while (line := self._line()) != "dead":
            assert not line.startswith("failed") and self.process.poll() is None, line
            yield line

    def kill(self) -> None:
        """kill -9 of the job that runs now; harmless when it was done just before."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End of input ends it."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def main() -> None:
    """Fork a job for each line of input; wait for its end."""
    say("ready")
    for line in sys.stdin:
        job, url, path = line.split()
        child = os.fork()
        if child == 0:
            try:
                say(f"pid {os.getpid()}")
                JOBS[job](url, path)
                say("done")
            except BaseException as error:
                say(f"failed {error!r}")
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
