"""The truth about worked time and due dates, minute by minute: every minute of the years in question is either worked or not.

Slow and plain on purpose; shares no code with metrics/. Working days from PyPI `holidays`, limits from the procedures' rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

Answer = tuple[float | None, int]
MINUTE = 60_000_000
WORKTIME = ("dossiers_worked_days_mean", "dossiers_due_differs_pct")
INVESTMENT = "investment_lead_days_mean"


class Minutes:
    """Minutes from `first` to `last` (microseconds UTC) of one calendar; hours as pairs of minutes of the local day."""

    def __init__(
        self, tz: ZoneInfo, first: int, last: int, country: str = "VN", hours: Sequence[tuple[int, int]] = ((420, 690), (810, 1020)),
        rest: Sequence[int] = (5, 6), days: dict[date, Sequence[tuple[int, int]]] | None = None,
    ) -> None:
        self.first = first // MINUTE - 30 * 1440
        count = last // MINUTE + 120 * 1440 - self.first
        utc = pd.DatetimeIndex((np.arange(count) + self.first) * 60_000_000_000, tz="UTC")
        local = utc.tz_convert(tz).tz_localize(None)
        self.days = local.to_numpy().astype("datetime64[D]").astype("int64")
        clock = np.asarray(local.hour * 60 + local.minute)
        self.works = np.zeros(count, dtype=bool)
        years = range(local[0].year, local[-1].year + 1)
        known = holidays.country_holidays(country, years=years) if country else {}
        make_up = set(getattr(known, "weekend_workdays", ()))
        for on in np.unique(self.days):
            day = date(1970, 1, 1) + pd.Timedelta(days=int(on)).to_pytimedelta()
            resting = day not in make_up and (day.weekday() in rest or day in known)
            self.hours_of(int(on), (days or {}).get(day, () if resting else hours), clock)
        self.before = np.concatenate([[0], np.cumsum(self.works)]) * MINUTE
        self.full_s = sum(end - start for start, end in hours) * 60

    def hours_of(self, on: int, spans: Sequence[tuple[int, int]], clock: np.ndarray) -> None:
        low, high = np.searchsorted(self.days, [on, on + 1])
        for start, end in spans:
            self.works[low:high] |= (clock[low:high] >= start) & (clock[low:high] < end)

    def worked(self, start: int, end: int) -> int:
        """Worked microseconds from start to end."""
        return self._until(end) - self._until(start)

    def _until(self, at: int) -> int:
        minute = at // MINUTE - self.first
        return int(self.before[minute]) + (at % MINUTE if self.works[minute] else 0)

    def net(self, start: int, end: int, stops: Iterable[tuple[int, int | None]]) -> int:
        """Worked microseconds without those inside any stop."""
        return self.worked(start, end) - sum(self.worked(a, b) for a, b in merged(stops, start, end))

    def later(self, at: int, worked: int) -> int:
        """The earliest instant by which so much more has been worked."""
        wanted = self._until(at) + worked
        minute = int(np.searchsorted(self.before, wanted, side="left")) - 1
        return (self.first + minute) * MINUTE + wanted - int(self.before[minute]) if worked else at

    def begins(self, received: int) -> int:
        """Local day from which a limit counts: that of the receipt unless its work was over."""
        minute = received // MINUTE - self.first
        day = self.days[minute]
        same = np.flatnonzero(self.works & (self.days == day))
        if len(same) and received <= (self.first + same[-1] + 1) * MINUTE:
            return int(day)
        return int(self.days[minute + np.flatnonzero(self.works[minute:] & (self.days[minute:] > day))[0]])

    def ends(self, on: int) -> int:
        """The instant the last worked minute of a day is over."""
        return (self.first + int(np.flatnonzero(self.works & (self.days == on))[-1]) + 1) * MINUTE

    @cached_property
    def worked_days(self) -> np.ndarray:
        """Every day on which at least one minute is worked."""
        return np.unique(self.days[self.works])

    def due(self, received: int, limit: int, stops: Iterable[tuple[int, int]]) -> int:
        """Due after so many working days: the first is the day after the one counted from."""
        left, on = limit, self.begins(received)
        while left:
            on += 1
            left -= on in self._day_set
        due = self.ends(on)
        for start, end in merged(stops, received, 2**62):
            if start < due:
                due = self.later(due, self.worked(start, end))
        return due

    @cached_property
    def _day_set(self) -> set[int]:
        return {int(on) for on in self.worked_days}

    def gap(self, expected: int, delivered: int) -> int:
        """Working days that lie after the one day, up to and with the other."""
        first, second = (int(self.days[at // MINUTE - self.first]) for at in (expected, delivered))
        found = sum(min(first, second) < on <= max(first, second) for on in self._day_set)
        return found if second >= first else -found


def merged(stops: Iterable[tuple[int, int | None]], low: int, high: int) -> list[tuple[int, int]]:
    """Stops cut to low..high, each instant in one of them only."""
    found: list[list[int]] = []
    for start, end in sorted((max(a, low), high if b is None else min(b, high)) for a, b in stops):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return [(start, end) for start, end in found]


@dataclass
class WorkTime:
    """Every accepted dossier of a store that did not end before it began, with what the minutes make of it."""

    connection: Connection
    tz: ZoneInfo
    country: str
    dossiers: pd.DataFrame  # of Oracle: own days, `before`

    @cached_property
    def rows(self) -> pd.DataFrame:
        """worked (micro working days, where ended) and gap (where both due dates are known), beside the rows' own columns."""
        rows = self.dossiers[~self.dossiers["before"] & self.dossiers["received_at"].notna()].copy()
        stops: dict[Any, list[tuple[int, int | None]]] = {}
        asked = self.connection.execute(text("SELECT feed, source_id, stopped_at, resumed_at FROM core_dossier_stop"))
        for feed, source_id, start, end in asked:
            stops.setdefault((feed, source_id), []).append((start, end))
        limits = dict(self.connection.execute(text("SELECT code, limit_days FROM core_procedure WHERE limit_days IS NOT NULL")).all())
        instants = pd.concat([rows[name].dropna() for name in ("received_at", "finished_at", "due_at")])
        minutes = Minutes(self.tz, int(instants.min()), int(instants.max()), self.country)
        found = [self._one(minutes, row, stops.get((row.feed, row.source_id), []), limits) for row in rows.itertuples()]
        rows["worked"] = pd.array([one[0] for one in found], dtype="Int64")
        rows["gap"] = pd.array([one[1] for one in found], dtype="Int64")
        return rows

    @cached_property
    def of_all(self) -> pd.DataFrame:
        """worked and gap of every dossier, missing where there is none, beside its procedure and domain."""
        found = self.rows[["worked", "gap"]].astype("float64").reindex(self.dossiers.index)
        return found.assign(procedure_code=self.dossiers["procedure_code"], domain_code=self.dossiers["domain_code"])

    @staticmethod
    def _one(minutes: Minutes, row: Any, stops: list[tuple[int, int | None]], limits: dict[str, float]) -> tuple[Any, Any]:
        finished = None if pd.isna(row.finished_at) else int(row.finished_at)
        worked = None
        if finished is not None:
            seconds = minutes.net(int(row.received_at), finished, stops) // 1_000_000
            worked = seconds * 1_000_000 // minutes.full_s
        if row.procedure_code not in limits or pd.isna(row.due_at):
            return worked, None
        known = [(start, end) for start, end in stops if end is not None and (finished is None or end < finished)]
        due = minutes.due(int(row.received_at), int(limits[row.procedure_code]), known)
        return worked, minutes.gap(due, int(row.due_at))

    def kpis(self, received: pd.Index, ended: pd.Index) -> dict[str, Answer]:
        """The KPIs over dossiers (index labels of `dossiers`) received and ended in a period."""
        worked = self.of_all.loc[ended, "worked"].dropna()
        gaps = self.of_all.loc[received, "gap"].dropna()
        differs = int((gaps != 0).sum())
        return {
            "dossiers_worked_days_mean": _mean(worked),
            "dossiers_due_differs_pct": (100.0 * differs / len(gaps) if len(gaps) else None, len(gaps)),
        }

    def investment(self, ended: pd.Index, procedures: Sequence[str], domains: Sequence[str]) -> Answer:
        """Mean of the named procedures and domains; withheld below five."""
        rows = self.of_all.loc[ended]
        named = rows["procedure_code"].isin(procedures) | rows["domain_code"].isin(domains)
        value, n = _mean(rows.loc[named, "worked"].dropna())
        return (value if n >= 5 else None), n


def _mean(worked: pd.Series) -> Answer:
    return (int(worked.sum()) / len(worked) / 1e6 if len(worked) else None), len(worked)
