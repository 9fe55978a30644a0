"""Child processes of `run`: started together, restarted when they fall, gone when the parent is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

RESTART_S = 2.0


class Children:
    """Runs commands of cli.py beside this process."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, command: str, *arguments: str) -> None:
        """Start a command and keep it running."""
        thread = threading.Thread(target=self._keep, args=(command, arguments), daemon=True, name=command)
        self._threads.append(thread)
        thread.start()

    def _keep(self, command: str, arguments: tuple[str, ...]) -> None:
        while not self._stop.is_set():
            child = subprocess.Popen([sys.executable, str(self._program), command, *arguments])
            self._running[command] = child
            child.wait()
            self._stop.wait(RESTART_S)

    def stop(self) -> None:
        """Stop all; those that do not stop in five seconds are killed."""
        self._stop.set()
        for child in self._running.values():
            child.terminate()
        for child in self._running.values():
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def stop_with_parent(parent: int, stop: threading.Event) -> None:
    """Set `stop` when the parent process is gone, so that no orphan keeps writing. 0 = no parent to watch."""
    if not parent:
        return

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(1.0):
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True, name="parent").start()
