"""Brings a store with data to this program's schema: alone, backed up first, all or nothing. And tells when a schema moves under us."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from store.audit import Entry, append
from store.days import instant
from store.engine import Store
from store.migrate import CURRENT, NEWER, OLDER, SchemaTooNew, current_revision, migrate, newest_revision, schema_state
from store.serving import alone
from store.sizes import store_bytes, store_folder
from store.watch import NOT_MIGRATED, STORE_AWAY
from upkeep.archive import require_space
from upkeep.backup import Say

log = logging.getLogger("toancanh.schema")
WATCH_S = 2.0


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did: from which revision to which; the same when there was nothing to do."""

    before: str
    after: str

    @property
    def is_done(self) -> bool:
        """Did the schema move?"""
        return self.before != self.after


def upgrade(
    store: Store, *, now: datetime, take_backup: Callable[[], object] | None = None, actor: str = "", say: Say = lambda _: None,
    versions: tuple[Path, ...] = (),
) -> Upgraded:
    """Apply every missing migration in one transaction; before it, `take_backup` when there is something to lose.

    Raises SchemaTooNew, StoreInUse (stop those first), OSError (no room), and whatever the backup raises: then nothing was changed.
    """
    needed = newest_revision(versions)
    before, state = _where(store, versions)
    if state == NEWER:
        raise SchemaTooNew(f"the store is at schema {before}, this program knows up to {needed}: start the newer program")
    if state == CURRENT:
        say(f"nothing to do: the store is at schema {before}")
        return Upgraded(before, before)
    with alone(store, "upgrade"):
        if state == OLDER and take_backup:
            take_backup()
        if folder := store_folder(store):
            require_space(folder, store_bytes(store), "the upgrade")  # every row may be written anew
        say(f"upgrading from {before or 'nothing'} to {needed}")
        detail = {"from": before, "to": needed, "backup": take_backup is not None and state == OLDER}
        entry = Entry(instant(now), actor or "system", "upgrade", "store", detail=detail)
        migrate(store, versions=versions, finish=lambda connection: append(connection, entry))
    say(f"the store is at schema {needed}")
    return Upgraded(before, needed)


def _where(store: Store, versions: tuple[Path, ...]) -> tuple[str, str]:
    with store.reading() as connection:
        return current_revision(connection) or "", schema_state(connection, versions)


def watch_schema(
    store: Store, on_moved: Callable[[str], None], *, stop: threading.Event | None = None, every_s: float = WATCH_S
) -> threading.Thread:
    """Look every few seconds whether the schema is still ours; call `on_moved` once, with what to log, when it is not.

    The lock of store.serving keeps `upgrade` off while we run; this is for whoever moves the schema by other means.
    """
    ended, needed = stop or threading.Event(), newest_revision()

    def look() -> None:
        while not ended.wait(every_s):
            try:
                with store.reading() as connection:
                    found = current_revision(connection)
            except (*STORE_AWAY, *NOT_MIGRATED):
                continue
            if found is not None and found != needed:
                line = f"the schema has moved to {found}, this program needs {needed}: stopping; start the program that fits"
                log.error(line)
                on_moved(line)
                return

    thread = threading.Thread(target=look, daemon=True, name="schema")
    thread.start()
    return thread
