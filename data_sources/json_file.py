"""A saved JSON answer (.json, .geojson, either with .gz) read like one from the network."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from config import FeedConfig
from data_sources.feed import FeedError

MAX_BYTES = 1_000_000_000


def read_json(manifest: FeedConfig, max_bytes: int = MAX_BYTES) -> Any:
    """The decoded content of the file at `manifest.path`. Raises FeedError naming feed, file and remedy."""
    path = Path(manifest.path)
    where = f"feed {manifest.key}: {path}"
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            body = stream.read(max_bytes + 1)
    except FileNotFoundError as fault:
        raise FeedError(f"{where}: no such file; check the feed's path") from fault
    except (OSError, EOFError, zlib.error) as fault:
        raise FeedError(f"{where}: cannot be read: {fault}") from fault
    if len(body) > max_bytes:
        raise FeedError(f"{where}: larger than {max_bytes} bytes; split the file")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise FeedError(f"{where}: no valid JSON: {fault}; fetch or export it again") from fault


def file_cursor(manifest: FeedConfig) -> str | None:
    """`file:size:mtime` of the feed's file: the same text means nothing new to read. None when there is no file."""
    try:
        found = Path(manifest.path).stat()
    except OSError:
        return None
    return f"file:{found.st_size}:{found.st_mtime_ns}"
