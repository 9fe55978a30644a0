"""The guard between an answer and its reader: what the audit trail must tell of is on disk before it is shown, or it is not shown.

A page that fetches the same again by itself is one view: the same sight of the same actor from the same address is kept once in
REPEAT_S. Exports are kept each time.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence

from metrics.city.sights import Sight
from store.audit import Entry, append
from store.engine import Store

REPEAT_S = 600
MOST_REMEMBERED = 10_000
PATIENCE_S = 5.0  # a reader waits no longer than this for other writers, then is told to try again


class NotRecorded(Exception):
    """The audit trail could not be written, so nothing may be shown."""


class Seen:
    """What was kept lately, at most MOST_REMEMBERED sights; the oldest go first, which can only make an entry more."""

    def __init__(self) -> None:
        self._at: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = threading.Lock()

    def is_recent(self, sight: Hashable, at: int) -> bool:
        """Was this kept within REPEAT_S before `at` (microseconds)? A clock set back makes it new."""
        with self._lock:
            return 0 <= at - self._at.get(sight, at + 1) < REPEAT_S * 1_000_000

    def keep(self, sight: Hashable, at: int) -> None:
        """Remember that this was kept."""
        with self._lock:
            self._at[sight] = at
            self._at.move_to_end(sight)
            while len(self._at) > MOST_REMEMBERED:
                self._at.popitem(last=False)


def keep(store: Store, seen: Seen, sights: Sequence[Sight], actor: str, address: str, at: int) -> None:
    """Write down what somebody is about to be given. Raises NotRecorded, naming the cause in its __cause__."""
    new = {_key(sight, actor, address): sight for sight in _merged(sights)}
    for known in [key for key, sight in new.items() if sight.action != "export" and seen.is_recent(key, at)]:
        del new[known]
    if not new:
        return
    entries = [Entry(at, actor, sight.action, sight.kind, sight.subject, sight.detail, address) for sight in new.values()]
    try:
        store.write(lambda connection: [append(connection, entry) for entry in entries], PATIENCE_S)
    except Exception as fault:  # whatever it is: no entry, no answer
        raise NotRecorded("the audit trail could not be written") from fault
    for key in new:
        seen.keep(key, at)


def _merged(sights: Sequence[Sight]) -> Iterable[Sight]:
    """An export says all that the reads it was made of would."""
    return [sight for sight in sights if sight.action == "export"] or sights


def _key(sight: Sight, actor: str, address: str) -> Hashable:
    return actor, address, sight.action, sight.kind, sight.subject, json.dumps(sight.detail, sort_keys=True, default=str)
