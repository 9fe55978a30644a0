"""Duplicate candidates against the rows a city marked: learned on the first years of Chicago 311, judged on the later ones.

Needs the real data set (TOANCANH_REAL_DATA, else ../shared/data). `python -m benchmarks duplicates`; what it says is in docs/duplicates.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Figure
from benchmarks.signals import data_folder
from config import load_config
from data_sources.csv_file import csv_client
from data_sources.feedback.parse import parse_table
from metrics.alike import Placed, Reach, columns_of, pairs, strength
from metrics.alike_learning import Found, Sample, judge, learn, sample
from store.rows import ReportRow

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 22, tzinfo=UTC)
TURN = datetime(2013, 1, 1, tzinfo=UTC).timestamp() * 1e6  # learned before, judged after
DEFAULT = Reach(100.0, 7)  # what a city has that sets nothing


@dataclass(frozen=True)
class Halves:
    """The sample with which of its reports are of the first and of the later years."""

    known: Sample
    early: Any
    late: Any


def chicago(folder: Path) -> tuple[list[Placed], list[bool]]:
    """Reports of the file as the program reads it, in the order they came, and whether the city marked each as a duplicate.

    A repeated number counts once, as in the store; rows without a point are left out.
    """
    config = load_config(ROOT / "examples" / "chicago" / "city.toml", {"TOANCANH_REAL_DATA": str(folder)})
    manifest = config.feeds[0]
    found: dict[str, ReportRow] = {}
    for batch in csv_client(manifest, None, NOW):
        found |= {row.source_id: row for row in parse_table(manifest, batch, NOW).reports}
    return placed(manifest.key, list(found.values()))


def placed(feed: str, rows: Sequence[ReportRow]) -> tuple[list[Placed], list[bool]]:
    """The rows with a point in the order they came, and their marks."""
    told = [
        (Placed(feed, row.source_id, row.received_at, row.closed_at, row.lon, row.lat, row.category, row.category_group),
         bool(row.is_duplicate))
        for row in rows if row.lon is not None and row.lat is not None and row.received_at is not None
    ]
    told.sort(key=lambda pair: (pair[0].received_at, pair[0].source_id))
    return [row for row, _ in told], [mark for _, mark in told]


def halves(rows: Sequence[Placed], marked: Sequence[bool]) -> Halves:
    """The reports cut at TURN."""
    early = np.array([row.received_at < TURN for row in rows])
    return Halves(sample(rows, marked), early, ~early)


def top_half(known: Sample, reach: Reach, among: Any) -> tuple[float, float]:
    """Precision of the stronger and of the weaker half of the flagged, by each report's strongest pair: does the order help?"""
    found = pairs(columns_of(known.rows, reach), reach.days)
    radius = np.array([reach.of(known.rows[at].category) for at in found.later.tolist()])
    force = strength(found.metres, radius, found.hours, reach.days, found.is_same_category.tolist(), [None] * len(found))
    best = np.full(len(known.rows), -1.0)
    np.maximum.at(best, found.later, force)
    rows = np.flatnonzero((best >= 0) & among)
    ranked = rows[np.argsort(-best[rows], kind="stable")]
    cut = len(ranked) // 2
    return float(known.marked[ranked[:cut]].mean()), float(known.marked[ranked[cut:]].mean())


def run(databases: Any, quick: bool) -> Iterator[Figure]:
    """Precision and recall of the later years: by what was learned, and by the reach of a city that sets nothing."""
    folder = data_folder()
    if not folder.is_dir():
        yield Figure("duplicates", "none", "real data not found", 0, "", note=f"set TOANCANH_REAL_DATA; looked in {folder}")
        return
    began = time.perf_counter()
    cut = halves(*chicago(folder))
    learned = learn(cut.known, cut.early)
    said = f"{learned.radius_m:g} m, {learned.days:g} d, by category {dict(learned.by_category) or 'as all'}"
    yield Figure("duplicates", "none", "learned on 2000-2012: radius", learned.radius_m, "m", note=said)
    for what, reach, among in (
        ("learned, 2000-2012 (learned on)", learned, cut.early), ("learned, 2013-2015 (judged on)", learned, cut.late),
        ("100 m 7 d, 2013-2015", DEFAULT, cut.late), ("same point and day, 2013-2015", Reach(1.0, 0), cut.late),
    ):
        yield from _figures(what, judge(cut.known, reach, among))
    for what, reach in (("learned", learned), ("100 m 7 d", DEFAULT)):
        high, low = top_half(cut.known, reach, cut.late)
        yield Figure("duplicates", "none", f"precision of the stronger half, {what}", high, "", note=f"of the weaker half {low:.3f}")
    yield Figure("duplicates", "none", "all of it", time.perf_counter() - began, "s", note=f"{len(cut.known.rows)} reports")


def _figures(what: str, found: Found) -> Iterator[Figure]:
    note = f"flagged {found.flagged}, marked {found.marked}, both {found.both}"
    yield Figure("duplicates", "none", f"precision, {what}", found.precision, "", note=note)
    yield Figure("duplicates", "none", f"recall, {what}", found.recall, "")
