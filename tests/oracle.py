"""The truth about a store, computed again from its core rows by plain pandas and Python.

Shares no code with metrics/: days come from the instants by zoneinfo (the `_on` columns are not read), working days from PyPI
`holidays`, the VN_AQI table is typed here from domain.md 5.1. KPI keys are the only words in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from tests import oracle_dossiers
from tests.oracle_aqi import BREAKS, daily_index, highest, now_cast, sub_index
from tests.oracle_environment import KPIS as ENVIRONMENT
from tests.oracle_environment import Environment
from tests.oracle_feedback import FROM_ROWS, quality_kpis
from tests.oracle_workload import Workload
from tests.oracle_worktime import INVESTMENT, WorkTime

HOUR = 3_600_000_000
DAY = 24 * HOUR
EPOCH = date(1970, 1, 1)
DONE_REPORTS = ("resolved", "published", "closed", "refused")
OUTSIDE = (1, 3)  # registered but not accepted; refused
STOCKS = ("dossiers_open", "dossiers_overdue", "dossiers_due_2wd", "reports_open", "reports_overdue", *oracle_dossiers.STOCKS)
# from rows, not from sums: without rows it says nothing by itself
COMPUTED = ("reports_resolve_days_median", INVESTMENT, *oracle_dossiers.WHOLE, *FROM_ROWS)
TOPIC_OF = {
    "dossiers": "dossiers", "investment": "dossiers", "procedures": "dossiers", "agencies": "dossiers", "reports": "reports",
    "feedback": "reports",
}
TOPIC_ROLE = {"dossiers": "one_stop", "reports": "feedback"}
Answer = tuple[float | None, int]



def number(on: date) -> int:
    """Days since 1970-01-01."""
    return (on - EPOCH).days


def local_days(at: pd.Series, tz: ZoneInfo) -> pd.Series:
    """Local day numbers of a column of microseconds; missing stays missing (nullable integers)."""
    found = pd.Series(pd.NA, index=at.index, dtype="Int64")
    known = at.notna()
    if known.any():
        moments = pd.to_datetime(at[known].astype("int64").to_numpy(), unit="us", utc=True).tz_convert(tz)
        found[known] = moments.tz_localize(None).to_numpy().astype("datetime64[D]").astype("int64")
    return found


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in numpy's own types, far quicker to ask: numbers as float64 (exact up to 2**53, which no instant reaches), NaN missing."""
    found = {}
    for name, column in rows.items():
        if column.dtype == bool:
            found[name] = column.to_numpy()
        elif pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            found[name] = column.to_numpy(dtype="float64", na_value=np.nan)
        else:
            words = column.to_numpy(dtype=object, na_value=None)
            found[name] = pd.Series(words, index=rows.index, dtype=object)  # said outright, or pandas makes Arrow's strings of them
    return pd.DataFrame(found).copy()


def day_start(on: int, tz: ZoneInfo) -> int:
    """The instant (microseconds UTC) at which a local day begins."""
    local = datetime.combine(EPOCH + timedelta(days=on), time(0), tzinfo=tz)
    return (local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def table(connection: Connection, name: str) -> pd.DataFrame:
    """All rows of a table with nullable integers, so that no instant is rounded."""
    return pd.read_sql(text(f"SELECT * FROM {name}"), connection, dtype_backend="numpy_nullable")


@dataclass(frozen=True)
class Pick:
    """What a question is about. `agency` takes all below it; `only` is one exact value of a grouping."""

    agency: str = ""
    area: str = ""
    domain: str = ""
    category: str = ""
    only: tuple[str, str] | None = None


EVERYTHING = Pick()


@dataclass
class Oracle:
    """Core rows of one store at an instant, and every KPI of them."""

    connection: Connection
    tz: ZoneInfo
    as_of: int
    feeds: tuple[Any, ...]  # key, role, cadence_s, enabled
    country: str = "VN"
    subdivision: str = ""
    bulk: tuple[int, int] = (20, 10)  # so many closings of one agency within so many minutes
    limits: tuple[Any, ...] = ()  # the city's own limits of air quality
    alarms: tuple[Any, ...] = ()  # and its stations' water levels
    investment: tuple[Any, Any] = ((), ())  # procedures and domains that are investment
    kept: dict[Any, Any] = field(default_factory=dict)
    working: dict[date, bool] = field(default_factory=dict)

    @cached_property
    def today(self) -> int:
        """Local day number of the instant."""
        return int(local_days(pd.Series([self.as_of], dtype="Int64"), self.tz).iloc[0])

    @cached_property
    def agencies(self) -> dict[str, str]:
        """Agency -> its area."""
        rows = table(self.connection, "core_agency")
        return dict(zip(rows["code"], rows["area_code"], strict=True))

    @cached_property
    def dossiers(self) -> pd.DataFrame:
        """Every dossier with own days: accepted, before (ended before it started), waiting (start of the stop that is open)."""
        rows = table(self.connection, "core_dossier")
        stops = table(self.connection, "core_dossier_stop")
        still = stops[stops["resumed_at"].isna()].groupby(["feed", "source_id"])["stopped_at"].min()
        rows = rows.merge(still.rename("waiting").reset_index(), on=["feed", "source_id"], how="left")
        rows["accepted"] = ~rows["status"].isin(OUTSIDE)
        rows["before"] = (rows["finished_at"] < rows["received_at"]).fillna(False).astype(bool)
        for name in ("received", "finished", "due", "waiting", "second_supplement"):
            rows[f"{name}_day"] = local_days(rows["waiting" if name == "waiting" else f"{name}_at"], self.tz)
        rows.loc[rows["finished_at"].notna(), ["waiting", "waiting_day"]] = pd.NA
        rows["area_code"] = rows["agency_code"].map(self.agencies).fillna("")
        return plain(rows[rows["accepted"]])

    @cached_property
    def reports(self) -> pd.DataFrame:
        """Every report with own days."""
        rows = table(self.connection, "core_report")
        rows["ended_at"] = rows["closed_at"].where(rows["status"].isin(DONE_REPORTS))
        rows["before"] = (rows["ended_at"] < rows["received_at"]).fillna(False).astype(bool)
        for name in ("received", "ended", "due", "reopened"):
            rows[f"{name}_day"] = local_days(rows[f"{name}_at"], self.tz)
        return plain(rows)

    @cached_property
    def readings(self) -> pd.DataFrame:
        """station, area_code, feed, property, observed_at, value."""
        rows = table(self.connection, "core_reading")[["datastream_id", "observed_at", "value", "flag"]]
        streams = table(self.connection, "core_datastream")[["id", "feed", "station_id", "property"]]
        stations = self.stations.rename(columns={"source_id": "station_id"})[["feed", "station_id", "area_code"]]
        found = rows.merge(streams, left_on="datastream_id", right_on="id").merge(stations, on=["feed", "station_id"])
        found["station"] = found["feed"] + "/" + found["station_id"]
        found["observed_at"] = found["observed_at"].astype("int64")
        return found.sort_values("observed_at", ignore_index=True)

    @cached_property
    def environment(self) -> Environment:
        """The environment's KPIs."""
        return Environment(self)

    def starts(self, on: int) -> int:
        """The instant a local day begins."""
        return day_start(on, self.tz)

    @cached_property
    def stations(self) -> pd.DataFrame:
        """Every station."""
        return table(self.connection, "core_station")

    @cached_property
    def feed_rows(self) -> dict[str, Any]:
        """ops_feed by key: what each feed last brought."""
        return {row["feed"]: row for row in table(self.connection, "ops_feed").to_dict("records")}

    # --- which rows ---------------------------------------------------------------------------------------

    def picked(self, rows: pd.DataFrame, pick: Pick) -> pd.DataFrame:
        """The rows a question is about, kept for the next one: it asks of other days."""
        key = ("picked", id(rows), pick)
        if key not in self.kept:
            self.kept[key] = (self._picked(rows, pick), rows)  # as long as the rows are held, nothing else has their id
        return self.kept[key][0]

    def _picked(self, rows: pd.DataFrame, pick: Pick) -> pd.DataFrame:
        if pick == EVERYTHING:
            return rows
        if pick == Pick(only=pick.only) and pick.only:
            key = ("groups", id(rows), pick.only[0])
            if key not in self.kept:
                self.kept[key] = rows.groupby(f"{pick.only[0]}_code").indices
            return rows.iloc[self.kept[key].get(pick.only[1], [])]
        keep = pd.Series(True, index=rows.index)
        if pick.agency:
            codes = rows["agency_code"]
            keep &= (codes == pick.agency) | codes.str.startswith(pick.agency + ".")
        for name in ("area", "domain", "category"):
            wanted = getattr(pick, name)
            if wanted and f"{name}_code" in rows:
                keep &= rows[f"{name}_code"] == wanted
        return rows[keep]

    def through(self, feed: Any) -> int | None:
        """Up to when a feed speaks: sensors and feeds without promise by their newest row, others by their last delivery."""
        row = self.feed_rows.get(feed.key, {})
        found = row.get("newest_at" if feed.role == "sensors" or feed.cadence_s is None else "loaded_at")
        return None if found is None or pd.isna(found) else int(found)

    def speaks(self, topic: str, start: int) -> bool:
        """True when a feed of the topic speaks for any part of a period that has begun."""
        known = [self.through(feed) for feed in self.feeds if feed.role == TOPIC_ROLE[topic]]
        first = day_start(start, self.tz)
        return self.as_of > first and any(at is not None and at > first for at in known)

    # --- dossiers -----------------------------------------------------------------------------------------

    def dossier_kpis(self, start: int, end: int, pick: Pick = EVERYTHING, rule: str = "late_instant") -> dict[str, Answer]:
        """All dossier KPIs over the days start..end."""
        key = ("dossiers", start, end, pick)
        if key not in self.kept:
            self.kept[key] = self._dossier_kpis(start, end, pick)
        return self.kept[key][rule]

    def _dossier_kpis(self, start: int, end: int, pick: Pick) -> dict[str, dict[str, Answer]]:
        """The same under either late rule."""
        rows = self.picked(self.dossiers, pick)
        end = min(end, self.today)
        received = rows[rows["received_day"].between(start, end).fillna(False)]
        ended = rows[rows["finished_day"].between(start, end).fillna(False)]
        due = ended[ended["due_at"].notna()]
        late_now = due["finished_at"] > due["due_at"]
        late = {"late_instant": int(late_now.sum()), "late_day": int((due["finished_day"] > due["due_day"]).sum())}
        asked_twice = ~late_now & (due["supplement_count"] > 1)
        stock = self.open_dossiers(end, rows)
        with_due = stock[stock["due_at"].notna()]
        overdue = {name: int(self.is_overdue(with_due, end, name).sum()) for name in ("late_instant", "late_day")}
        twice = (with_due["second_supplement_day"] <= end).fillna(False).astype(bool)  # in progress: late from the second request on
        late_766 = int((self.is_overdue(with_due, end, "late_instant").astype(bool) | twice).sum())
        in_time = len(due) - int(late_now.sum()) - int(asked_twice.sum()) + len(with_due) - late_766
        online = int((received["channel"] == "online").sum())
        carried = len(self.open_before(start, rows))
        found = {
            "dossiers_received": (len(received), len(received)),
            "dossiers_finished": (len(ended), len(ended)),
            "dossiers_on_time_766_pct": percent(in_time, len(due) + len(with_due)),
            "dossiers_early_pct": percent(int((due["finished_day"] < due["due_day"]).sum()), len(due)),
            "dossiers_open": (len(stock), len(stock)),
            "dossiers_due_2wd": (self.due_soon(with_due) if end >= self.today else None, len(with_due)),
            "dossiers_online_pct": percent(online, len(received)),
            **oracle_dossiers.score_kpis(received, ended),
            **oracle_dossiers.whole_kpis(
                self.lists, rows, start, end, self.today, pick, self.works, self.has_begun(start, end),
            ),
            **self.work_time.kpis(received.index, ended.index),
            **self.workload.dossiers(len(received), len(ended), len(stock), end, pick),
            INVESTMENT: self.work_time.investment(ended.index, *self.investment),
        }
        return {rule: {
            **found,
            "dossiers_on_time_pct": percent(len(due) - late[rule], len(due)),
            "dossiers_late": (late[rule], len(due)),
            "dossiers_overdue": (overdue[rule], len(with_due)),
            **oracle_dossiers.form_kpis(received, ended, stock, carried, late[rule], overdue[rule]),
        } for rule in ("late_instant", "late_day")}

    def has_begun(self, start: int, end: int) -> bool:
        """Does a feed of dossiers speak for the days, and had any dossier come or ended by their end?"""
        days = [self.dossiers[f"{name}_day"].min() for name in ("received", "finished")]
        return self.speaks("dossiers", start) and any(not pd.isna(day) and day <= end for day in days)

    @cached_property
    def work_time(self) -> WorkTime:
        """Worked time and due dates of every dossier."""
        return WorkTime(self.connection, self.tz, self.country, self.dossiers)

    @cached_property
    def workload(self) -> Workload:
        """Inhabitants and officers."""
        return Workload(table(self.connection, "core_area"), table(self.connection, "core_agency"))

    @cached_property
    def lists(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The catalogues of agencies and procedures."""
        return table(self.connection, "core_agency"), table(self.connection, "core_procedure")

    def open_before(self, start: int, rows: pd.DataFrame) -> pd.DataFrame:
        """Dossiers in progress when a day began."""
        began = day_start(start, self.tz)
        rows = rows[~rows["before"] & (rows["received_at"] < began)]
        return rows[rows["finished_at"].isna() | (rows["finished_at"] >= began).fillna(False)]

    def open_dossiers(self, end: int, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Dossiers in progress at the end of a day; today: now."""
        rows = self.dossiers if rows is None else rows
        rows = rows[~rows["before"]]
        if end >= self.today:
            return rows[rows["finished_at"].isna()]
        over = day_start(end + 1, self.tz)
        return rows[(rows["received_at"] < over) & (rows["finished_at"].isna() | (rows["finished_at"] >= over).fillna(False))]

    def is_overdue(self, with_due: pd.DataFrame, end: int, rule: str) -> pd.Series:
        """Which of these open dossiers were past due; the clock of a waiting one stood still when it was stopped."""
        if rule == "late_day":
            judged = with_due["waiting_day"].fillna(min(end, self.today)).clip(upper=min(end, self.today))
            return with_due["due_day"] < judged
        at = self.as_of if end >= self.today else day_start(end + 1, self.tz)
        judged = with_due["waiting"].fillna(at).clip(upper=at)
        return with_due["due_at"] < judged

    def due_soon(self, with_due: pd.DataFrame) -> int:
        """Running, not yet due, due before the end of the second working day after today."""
        day, left = EPOCH + timedelta(days=self.today), 2
        while left:
            day += timedelta(days=1)
            left -= self.works(day)
        ends = day_start(number(day) + 1, self.tz)
        running = with_due[with_due["waiting"].isna()]
        return int(((running["due_at"] >= self.as_of) & (running["due_at"] < ends)).sum())

    def works(self, day: date) -> bool:
        """Monday to Friday without public holidays, and weekend days the state makes working days."""
        if day not in self.working:
            known = self.holidays
            self.working[day] = day in known.weekend_workdays or (day.weekday() < 5 and day not in known)
        return self.working[day]

    @cached_property
    def holidays(self) -> Any:
        """The country's public holidays."""
        return holidays.country_holidays(self.country, subdiv=self.subdivision or None)

    # --- reports ------------------------------------------------------------------------------------------

    def report_kpis(self, start: int, end: int, pick: Pick = EVERYTHING) -> dict[str, Answer]:
        """All report KPIs over the days start..end."""
        key = ("reports", start, end, pick)
        if key not in self.kept:
            self.kept[key] = self._report_kpis(start, end, pick)
        return self.kept[key]

    def _report_kpis(self, start: int, end: int, pick: Pick) -> dict[str, Answer]:
        rows = self.picked(self.reports, pick)
        end = min(end, self.today)
        received = int(rows["received_day"].between(start, end).fillna(False).sum())
        ended = rows[rows["ended_day"].between(start, end).fillna(False)]
        stock = self.open_reports(end, rows)
        with_due = stock[stock["due_at"].notna()]
        at = self.as_of if end >= self.today else day_start(end + 1, self.tz)
        honest = ended[~ended["before"]]
        spans = (honest["ended_at"] - honest["received_at"]).astype("float64").to_numpy()
        median = float(np.median(spans)) / DAY if len(spans) >= 5 else None
        return {
            "reports_received": (received, received),
            "reports_resolved": (len(ended), len(ended)),
            "reports_open": (len(stock), len(stock)),
            "reports_overdue": (int((with_due["due_at"] < at).sum()), len(with_due)),
            "reports_resolve_days_median": (median, len(spans)),
            **quality_kpis(self, start, end, pick),
            **self.workload.reports(received, end, pick),
        }

    def open_reports(self, end: int, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Reports not ended at the end of a day; today: now."""
        rows = self.reports if rows is None else rows
        rows = rows[~rows["before"]]
        if end >= self.today:
            return rows[rows["ended_at"].isna()]
        over = day_start(end + 1, self.tz)
        return rows[(rows["received_at"] < over) & (rows["ended_at"].isna() | (rows["ended_at"] >= over).fillna(False))]

    # --- readings and feeds -------------------------------------------------------------------------------

    def stations_reporting(self, end: int, area: str = "") -> Answer:
        """Stations with a reading in the last two cadences of their feed, over all."""
        stations = self.stations[self.stations["area_code"] == area] if area else self.stations
        heard = 0
        if end < self.today and not (self.readings["observed_at"] < day_start(end + 1, self.tz)).any():
            return None, 0
        for feed, ids in stations.groupby("feed")["source_id"]:
            cadence = next((f.cadence_s for f in self.feeds if f.key == feed), None) or 3600
            at = self.as_of if end >= self.today else day_start(end + 1, self.tz)
            rows = self.readings[self.readings["feed"] == feed]
            seen = rows["observed_at"] >= at - 2 * cadence * 1_000_000
            if end < self.today:
                seen &= rows["observed_at"] < at
            heard += len(set(rows.loc[seen, "station_id"]) & set(ids))
        return percent(heard, len(stations))

    def vn_aqi(self, start: int, end: int, area: str = "") -> Answer:
        """The highest index: of the last whole hour while the period runs, else of its days; none beyond 92 days."""
        end = min(end, self.today)
        if end >= self.today:
            found = self.hour_indices(self.as_of // HOUR - 1, area)
        elif end - start >= 92:
            found = []
        else:
            found = [index for on in range(start, end + 1) for index in self.day_indices(on, area)]
        return (float(max(found)), len(found)) if found else (None, 0)

    def hour_indices(self, hour: int, area: str = "") -> list[int]:
        """Hourly VN_AQI of every station that has one."""
        means = self.hour_means((hour - 11) * HOUR, (hour + 1) * HOUR, area)
        found = []
        for by_property in means.values():
            parts = {}
            for name, hours in by_property.items():
                newest_first = [hours.get(hour - back) for back in range(12)]
                mean = now_cast(newest_first) if name.startswith("pm") else newest_first[0]
                parts[name] = sub_index(name, mean)
            found.append(highest(parts))
        return [index for index in found if index is not None]

    def day_indices(self, on: int, area: str = "") -> list[int]:
        """Daily VN_AQI of every station that has one on a local day."""
        key = ("day", on, area)
        if key not in self.kept:
            first, last = day_start(on, self.tz), day_start(on + 1, self.tz)
            means = self.hour_means(first, last, area)
            found = [daily_index(by_property, first // HOUR) for by_property in means.values()]
            self.kept[key] = [index for index in found if index is not None]
        return self.kept[key]

    def hour_means(self, first: int, last: int, area: str) -> dict[str, dict[str, dict[int, float]]]:
        """station -> pollutant -> hour -> mean of the readings in [first, last), both whole hours."""
        assert first % HOUR == 0 and last % HOUR == 0
        found: dict[str, dict[str, dict[int, float]]] = {}
        for hour in range(first // HOUR, last // HOUR):
            for of, station, name, mean in self.means_of_hours.get(hour, ()):
                if not area or of == area:
                    found.setdefault(station, {}).setdefault(name, {})[hour] = mean
        return found

    @cached_property
    def means_of_hours(self) -> dict[int, list[tuple[str, str, str, float]]]:
        """Hour -> (area, station, pollutant, mean of its readings)."""
        rows = self.readings
        rows = rows[rows["property"].isin(BREAKS) & (rows["flag"] == 0)]  # that flags are right is tests/oracle_rollups.py's
        rows = rows.assign(hour=rows["observed_at"] // HOUR)
        found: dict[int, list[tuple[str, str, str, float]]] = {}
        for (hour, area, station, name), mean in rows.groupby(["hour", "area_code", "station", "property"])["value"].mean().items():
            found.setdefault(int(hour), []).append((area, station, name, float(mean)))
        return found

    def feeds_fresh(self, end: int) -> Answer:
        """Feeds with a promised cadence that keep it now, over all of them that are switched on."""
        promised = [feed for feed in self.feeds if feed.cadence_s is not None and feed.enabled]
        if end < self.today or not promised:
            return None, 0
        ages = [None if (at := self.through(feed)) is None else max(0, self.as_of - at) for feed in promised]
        fresh = sum(age is not None and age <= feed.cadence_s * 1_000_000 for age, feed in zip(ages, promised, strict=True))
        return percent(fresh, len(promised))

    # --- one door -----------------------------------------------------------------------------------------

    def kpis(
        self, keys: Iterable[str], start: int, end: int, pick: Pick = EVERYTHING, rule: str = "late_instant",
    ) -> dict[str, Answer]:
        """Value and n of each KPI over local days start..end; (None, 0) where no feed speaks for the period."""
        found: dict[str, Answer] = {}
        wanted = set(keys)
        for topic in ("dossiers", "reports"):
            of_topic = {key for key in wanted if TOPIC_OF.get(key.split("_")[0]) == topic}
            if of_topic:
                is_dossiers = topic == "dossiers"
                answers = self.dossier_kpis(start, end, pick, rule) if is_dossiers else self.report_kpis(start, end, pick)
                silent = not self.speaks(topic, start)
                always = STOCKS if start <= self.today <= end else ()
                found.update({key: (None, 0) if silent and key not in (*always, *COMPUTED) else answers[key] for key in of_topic})
        if "stations_reporting_pct" in wanted:
            found["stations_reporting_pct"] = self.stations_reporting(end, pick.area)
        if "vn_aqi" in wanted:
            found["vn_aqi"] = self.vn_aqi(start, end, pick.area)
        found.update(self.environment.answers(wanted, start, end, pick.area) if wanted & ENVIRONMENT.keys() else {})
        if "feeds_fresh_pct" in wanted:
            found["feeds_fresh_pct"] = self.feeds_fresh(end)
        return found


def percent(part: int, whole: int) -> Answer:
    """A share in percent with its n; None without any."""
    return (100.0 * part / whole if whole else None), whole
