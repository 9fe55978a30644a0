"""Answers many readers ask for at once: kept while the revision they speak of is the newest, and worked out by one reader for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

LIMIT = 4_000


class Remembered:
    """A bounded memory of answers by key. Two readers who ask the same at once wait for one computation; a failure is not kept."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Any] = {}
        self._busy: dict[Hashable, threading.Lock] = {}

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The answer of this key: remembered, or made now."""
        with self._lock:
            if key in self._answers:
                found = self._answers[key] = self._answers.pop(key)  # used again: among the last to go
                return found
            turn = self._busy.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._answers:
                    return self._answers[key]
            try:
                found = make()
            finally:
                with self._lock:
                    self._busy.pop(key, None)
            with self._lock:
                self._answers[key] = found
                while len(self._answers) > self._limit:
                    del self._answers[next(iter(self._answers))]  # longest unused: its revision has passed
            return found
