"""What a backup says of the store it holds: row counts, revisions, audit head, KPI values; and how a restored one is held beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from config import Config
from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.numbers import kpis
from metrics.kpis import KPIS
from metrics.periods import parse_period
from metrics.rollups import read_clock
from scope import scope_of
from store.backup import audit_head, engine_version
from store.days import instant
from store.engine import Connection, Store
from store.migrate import current_revision, newest_revision
from store.revisions import revisions
from store.sizes import row_counts

FORMAT = 1
PERIODS = ("today", "last_30d")


@dataclass(frozen=True)
class Facts:
    """The state of a store. `kpis` = one row per period and key; none when the schema is not this program's."""

    schema: str
    tables: Mapping[str, int]
    revisions: Mapping[str, int]
    audit_seq: int
    audit_hash: str
    as_of: int
    kpis: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Manifest:
    """manifest.json of a backup. `parts` = name in the archive -> sha256 and bytes; `catalogue` = key -> name in the archive."""

    format: int
    city: str
    engine: str
    engine_version: str
    taken_at: int
    facts: Facts
    city_file: str = ""
    catalogue: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Its text in the archive."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


def read_manifest(words: bytes) -> Manifest:
    """The manifest of an archive. ValueError when it is none, or of a later format."""
    found = json.loads(words)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"the manifest is of format {found.get('format') if isinstance(found, dict) else '?'}, known is {FORMAT}")
    try:
        facts = Facts(**{**found["facts"], "kpis": tuple(found["facts"]["kpis"])})
        return Manifest(**{**found, "facts": facts})
    except (KeyError, TypeError) as fault:
        raise ValueError(f"the manifest is not whole: {fault}") from fault


def facts_of(connection: Connection, store: Store, config: Config, now: datetime) -> Facts:
    """All of it in the caller's snapshot."""
    schema, counters = current_revision(connection) or "", revisions(connection)
    is_ours = schema == newest_revision()
    clock = read_clock(connection) or instant(config.clock(now))
    head = audit_head(connection) if is_ours else None
    city = City(store, config, scope_of("leader", actor="backup"), clock, counters, calendar_for(config))
    values = tuple(_kpis(connection, city)) if is_ours else ()
    return Facts(schema, row_counts(connection), counters, head.seq if head else 0, head.hash if head else "", clock, values)


def _kpis(connection: Connection, city: City) -> Iterator[Mapping[str, Any]]:
    for name in PERIODS:
        period = parse_period(name, city.today)
        for found in kpis.read_in(connection, city, KPIS, period, kpis.NOTHING_CHOSEN, city.config.late_rule):
            yield {"period": period.text, "key": found.key, "value": found.value, "n": found.n}


def engine_of(store: Store, connection: Connection) -> tuple[str, str]:
    """(sqlite | postgresql, version)."""
    return ("sqlite" if store.is_sqlite else "postgresql"), engine_version(connection)


def compare_rows(told: Facts, found: Facts) -> list[str]:
    """One line per table or topic that differs."""
    faults = [
        f"table {name}: {found.tables.get(name)} rows, the backup had {rows}"
        for name, rows in told.tables.items() if found.tables.get(name) != rows
    ]
    faults += [
        f"topic {topic}: revision {found.revisions.get(topic)}, the backup had {number}"
        for topic, number in told.revisions.items() if found.revisions.get(topic) != number
    ]
    if (told.audit_seq, told.audit_hash) != (found.audit_seq, found.audit_hash) and told.schema == found.schema and told.audit_hash:
        faults.append(f"audit trail: ends at row {found.audit_seq}, the backup's at {told.audit_seq}, or with another hash")
    return faults


def compare_kpis(told: Facts, found: Facts) -> list[str]:
    """One line per KPI value that differs."""
    now = {(row["period"], row["key"]): row for row in found.kpis}
    faults = []
    for row in told.kpis:
        here = now.get((row["period"], row["key"]))
        if here is None or here["n"] != row["n"] or not _is_same(here["value"], row["value"]):
            faults.append(f"KPI {row['key']} over {row['period']}: {here and here['value']}, the backup had {row['value']}")
    return faults


def _is_same(one: float | None, other: float | None) -> bool:
    """Sums of floats may differ in the last digit when rows lie in another order."""
    return one == other or (one is not None and other is not None and abs(one - other) <= 1e-9 * max(abs(one), abs(other)))


def catalogue_of(config: Config) -> dict[str, Path]:
    """Catalogue files of the city that exist, by key."""
    return {key: Path(path) for key, path in config.catalogue.items() if Path(path).is_file()}
