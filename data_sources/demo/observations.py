"""Observations of the demo's sensor server: which ones a query means, a page of them, plain or as data arrays.

A position counts cells of the hours x streams grid in reading direction; pages are found by arithmetic, nothing is sorted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from data_sources.demo.open311 import Refused
from data_sources.demo.readings import Grid, readings_grid
from data_sources.demo.stations import streams
from data_sources.demo.story import Story

Params = dict[str, str]
Row = tuple[int, str, Any, int]      # id, phenomenonTime, result, stream number
BOUND = re.compile(r"\s*phenomenonTime\s+(ge|gt|le|lt)\s+(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """Which observations are asked for: UTC seconds [since, until), one stream or all, direction."""

    since: float
    until: float
    only: int | None
    newest_first: bool

    @property
    def hours(self) -> tuple[int, int]:
        """First hour and the one after the last, since 1970 UTC."""
        return int(self.since // 3600), int(-(-self.until // 3600))


def plain(key: int, at: str, value: Any, stream: int, with_stream: bool) -> dict[str, Any]:
    """One Observation entity."""
    made = {"@iot.id": key, "phenomenonTime": at, "resultTime": None, "result": value}
    return {**made, "Datastream": {"@iot.id": stream}} if with_stream else made


def data_array(rows: Sequence[Row], base: str) -> list[dict[str, Any]]:
    """The rows grouped by Datastream, in the dataArray format."""
    grouped: dict[int, list[list[Any]]] = {}
    for key, at, value, stream in rows:
        grouped.setdefault(stream, []).append([key, at, value])
    return [
        {
            "Datastream@iot.navigationLink": f"{base}/Datastreams({stream})",
            "components": ["@iot.id", "phenomenonTime", "result"], "dataArray@iot.count": len(found), "dataArray": found,
        }
        for stream, found in grouped.items()
    ]


def window_of(story: Story, now: datetime, params: Params, only: int | None) -> Window:
    """The window $filter and $orderby mean, within the story and not after `now`. Raises Refused."""
    since, until = story.start.timestamp(), now.timestamp() + 1
    for bound in filter(None, re.split(r"\s+and\s+", params.get("$filter", ""), flags=re.IGNORECASE)):
        match = BOUND.fullmatch(bound)
        if not match:
            raise Refused(400, f"$filter: {bound!r} is not understood; use phenomenonTime ge|gt|le|lt <ISO time>")
        at = _instant(match[2]) + (1 if match[1].lower() in ("gt", "le") else 0)
        since, until = (max(since, at), until) if match[1].lower() in ("ge", "gt") else (since, min(until, at))
    order = params.get("$orderby", "phenomenonTime asc").split()
    if order[0] != "phenomenonTime" or order[1:] not in ([], ["asc"], ["desc"]):
        raise Refused(400, "$orderby: only phenomenonTime asc or desc")
    return Window(since, max(until, since), only, order[1:] == ["desc"])


def _instant(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, f"$filter: {text!r} is no ISO time") from error
    if at.tzinfo is None:
        raise Refused(400, f"$filter: {text!r} lacks a zone")
    return at.timestamp()


def _visible(grid: Grid, window: Window, now: datetime) -> Any:
    seen = (grid.seen_s <= now.timestamp()) & np.isfinite(grid.values)
    return seen & (grid.at_s >= window.since) & (grid.at_s < window.until)


def count(story: Story, now: datetime, window: Window) -> int:
    """How many observations of the window are visible at `now`."""
    grid = readings_grid(*window.hours, story.birth_hour, story.seed, only=window.only)
    return int(_visible(grid, window, now).sum())


def page(story: Story, now: datetime, window: Window, position: int, top: int) -> tuple[list[Row], int | None]:
    """Up to `top` observations from a position on, and where the next page starts (None = no more)."""
    width = 1 if window.only else len(streams())
    first, last = window.hours
    cells = (last - first) * width
    found: list[tuple[Any, ...]] = []
    missing = top
    while missing > 0 and position < cells:
        block = position // width
        many = min(-(-missing // width) + 1, last - first - block)
        start = first + block if not window.newest_first else last - block - many
        grid = readings_grid(start, start + many, story.birth_hour, story.seed, only=window.only)
        mask = _visible(grid, window, now).ravel()[::-1 if window.newest_first else 1]
        picked = np.flatnonzero(mask)
        picked = picked[picked >= position - block * width][:missing]
        found.append(_cells(grid, picked, window.newest_first))
        missing -= len(picked)
        position = block * width + (int(picked[-1]) + 1 if missing == 0 else many * width)
    rows = [row for part in found for row in _rows(*part)]
    return rows, position if position < cells and missing == 0 else None


def _rows(at: Any, stream: Any, values: Any, broken: Any) -> list[Row]:
    times = [f"{t}Z" for t in np.datetime_as_string(at.astype("datetime64[s]")).tolist()]
    ids = (at // 3600 * 1000 + stream).tolist()
    return list(zip(ids, times, _results(values.tolist(), broken.tolist()), stream.tolist(), strict=True))


def _cells(grid: Grid, picked: Any, backwards: bool) -> tuple[Any, ...]:
    columns = np.broadcast_to(grid.order, grid.values.shape)
    step = -1 if backwards else 1
    return tuple(array.ravel()[::step][picked] for array in (grid.at_s, columns, grid.values, grid.broken))


def _results(values: list[float], broken: list[int]) -> list[Any]:
    """Results as sent: now and then null, a text, or far out of range."""
    pairs = zip(values, broken, strict=True)
    return [value if not bad else (None, "n/a", abs(value) * 1e6 + 1e6)[bad - 1] for value, bad in pairs]
