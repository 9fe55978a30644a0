"""What a feed would bring, without landing anything: the first rows, the rejects with reasons, what stays unmapped."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from config import ConfigError, FeedConfig
from data_sources.csv_file import read_options
from data_sources.feed import FeedError, RawBatch
from data_sources.registry import protocol_of
from store.rows import Parsed


@dataclass(frozen=True)
class Preview:
    """Counts over the items read, the first rows as dicts, rejects by (field, reason) with one example each."""

    items: int
    counts: dict[str, int]
    rows: list[dict[str, Any]]
    rejects: dict[str, tuple[int, str]]


def mapping_faults(feed: FeedConfig, now: datetime) -> list[str]:
    """What is wrong with a feed's mapping and reader, without reading anything."""
    try:
        protocol_of(feed).parse(feed, RawBatch(()), now)
        if feed.protocol == "csv" and feed.role != "sensors":  # sensors have options of their own
            read_options(feed)
    except (ConfigError, FeedError) as fault:
        return [f"{feed.key}: {fault}"]
    return []


def preview_feed(feed: FeedConfig, now: datetime, *, items: int = 2000, shown: int = 5) -> Preview:
    """Read and parse up to about `items` items of a pulled feed. Raises FeedError when it cannot be read."""
    protocol = protocol_of(feed)
    if protocol.client is None:
        raise FeedError(f"feed {feed.key!r} is pushed to us; post a sample to /ingest/{feed.key} instead")
    seen, counts, rows = 0, Counter[str](), list[dict[str, Any]]()
    rejects: dict[str, tuple[int, str]] = {}
    for raw in protocol.client(feed, None, now):
        batch = protocol.parse(feed, raw, now)
        seen += batch.item_count or len(raw.items)
        for name in _KINDS:
            found = getattr(batch, name)
            counts[name] += len(found)
            rows.extend(_shown(name, row) for row in found[: max(0, shown - len(rows))])
        _tally(rejects, batch)
        if seen >= items:
            break
    return Preview(seen, {name: count for name, count in counts.items() if count}, rows, rejects)


_KINDS = ("dossiers", "steps", "reports", "stations", "datastreams", "readings", "areas")


def _shown(kind: str, row: Any) -> dict[str, Any]:
    values = row._asdict() if hasattr(row, "_asdict") else asdict(row)
    values.pop("geometry", None)
    return {"kind": kind, **{name: value for name, value in values.items() if value not in (None, "", ())}}


def _tally(rejects: dict[str, tuple[int, str]], batch: Parsed) -> None:
    for reject in batch.rejects:
        key = f"{reject.field}: {reject.reason}"
        count, example = rejects.get(key, (0, f"item {reject.item}, value {reject.value!r}"))
        rejects[key] = (count + 1, example)
