"""The process that test_upgrade.py kills: imports once, then forks an upgrade for every line "url folder" on its input.

An upgrade says its lines as it goes, "done" at its end. `folder` holds further revisions, made slow for the test.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from store.engine import open_store
from tests.small_city import TZ
from upkeep.upgrade import upgrade

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def say(words: str) -> None:
    """One line to the parent, at once."""
    os.write(1, f"{words}\n".encode())


def run(url: str, folder: str) -> None:
    """One upgrade to its end."""
    store = open_store(url, TZ)
    upgrade(store, now=NOW, say=say, versions=(Path(folder),))
    store.dispose()
    say("done")


def main() -> None:
    """Fork an upgrade for each line of input; wait for its end."""
    say("ready")
    for line in sys.stdin:
        url, folder = line.split()
        child = os.fork()
        if child == 0:
            try:
                run(url, folder)
            except BaseException as error:
                say(f"failed {error!r}")
            finally:
                os._exit(1)
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
