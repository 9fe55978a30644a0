"""Checks a feed's options against what its protocol knows: a wrong name is told, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config import ConfigError, FeedConfig
from data_sources.instants import EPOCH, instant_reader
from data_sources.mapping import DEFAULT_ZONE

NUMBER: tuple[type, ...] = (int, float)
# What every feed read over HTTP may set; HttpSource gives the defaults.
HTTP_OPTIONS: dict[str, tuple[type, ...]] = {
    "timeout_s": NUMBER, "retries": (int,), "retry_wait_s": NUMBER, "max_wait_s": NUMBER, "max_body_mb": NUMBER,
    "headers": (dict,),
}


def check_options(manifest: FeedConfig, known: Mapping[str, tuple[type, ...]]) -> None:
    """Nothing when all options are known and of the right type. Raises ConfigError with every fault."""
    faults = []
    for name, value in manifest.options.items():
        kinds = known.get(name)
        if kinds is None:
            faults.append(f"unknown option {name!r}; known: {', '.join(sorted(known))}")
        elif not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            faults.append(f"option {name} = {value!r} must be a {' or '.join(kind.__name__ for kind in kinds)}")
        elif isinstance(value, (int, float)) and value < 0:
            faults.append(f"option {name} = {value!r} must not be negative")
    if manifest.start and start_of(manifest) is None:
        faults.append(f"start = {manifest.start!r} is no date; write yyyy-mm-dd or yyyy-mm-ddThh:mm:ss")
    if faults:
        raise ConfigError("\n".join(f"- feed {manifest.key}: {fault}" for fault in faults))


def start_of(manifest: FeedConfig) -> datetime | None:
    """The manifest's start as an instant, naive times in the feed's zone; None when there is none that can be read."""
    read = instant_reader(("iso",), ZoneInfo(manifest.zone or DEFAULT_ZONE))
    micros = read(manifest.start) if manifest.start else None
    return None if micros is None else EPOCH + timedelta(microseconds=micros)
