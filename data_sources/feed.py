"""The contract of a feed: a client that yields raw batches and a pure parser that turns one into rows and rejects.

`sync.py` owns the loop, the transaction and the cursor; a feed folder supplies only these two functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config import FeedConfig
from store.rows import Parsed


class FeedError(Exception):
    """A feed could not be read. The message names feed, item or URL, and what to do."""


@dataclass(frozen=True)
class RawBatch:
    """Items exactly as the source sent them, and the cursor to store with them (None = leave the cursor as it is).

    `kind` says which of a feed's item kinds these are (e.g. "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "things", "observations").
    `offset` is the number of the first item in its file or page, so that an item without id can still be named.
    A snapshot is whole when its client has ended without a fault and its last batch carries a cursor (sync.py).
    """

    items: Sequence[Any]
    cursor: str | None = None
    kind: str = ""
    offset: int = 0


# (manifest, cursor, now) -> batches. Reads network or file; raises FeedError. Must stop by itself; bounded memory per batch.
Client = Callable[[FeedConfig, str | None, datetime], Iterator[RawBatch]]
# (manifest, batch, now) -> rows and rejects. Pure: no clock, no network, no store. Never raises on bad items: they become Rejects.
Parser = Callable[[FeedConfig, RawBatch, datetime], Parsed]


@dataclass(frozen=True)
class Protocol:
    """One row of the registry: which client and parser serve (role, protocol). Push protocols have no client."""

    role: str
    protocol: str
    parse: Parser
    client: Client | None = None
