"""How far the files are that are being written in this process: what the page that asked for one tells its reader."""

from __future__ import annotations

import threading

MOST = 500  # kept, oldest first out


class Exports:
    """Rows written by (who asked, their own key). Another copy of the server knows nothing of it: then nothing is told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], tuple[int, bool]] = {}

    def note(self, actor: str, key: str, rows: int) -> None:
        """So many rows are written."""
        self._put(actor, key, rows, False)

    def end(self, actor: str, key: str) -> None:
        """The file is whole."""
        self._put(actor, key, self._rows.get((actor, key), (0, False))[0], True)

    def told(self, actor: str, key: str) -> dict[str, int | bool]:
        """rows and is_done of the caller's own file; 0 rows of one nobody began."""
        rows, is_done = self._rows.get((actor, key), (0, False))
        return {"rows": rows, "is_done": is_done}

    def _put(self, actor: str, key: str, rows: int, is_done: bool) -> None:
        if not key:
            return
        with self._lock:
            self._rows.pop((actor, key), None)
            self._rows[actor, key] = (rows, is_done)
            while len(self._rows) > MOST:
                del self._rows[next(iter(self._rows))]
