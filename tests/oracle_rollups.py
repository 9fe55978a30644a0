"""What every roll-up must hold, counted row by row from the core rows in plain Python; for stores of a few thousand rows.

Like oracle.py it shares no code with metrics/ and reads no `_on` column.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from tests.oracle import DONE_REPORTS, HOUR, OUTSIDE, day_start, number
from tests.oracle_dossiers import facts_in, facts_out
from tests.oracle_feedback import quality_flows
from tests.oracle_flags import SKEW, stream_flags

Cells = dict[tuple[Any, ...], Counter[str]]


def rollup_truth(connection: Connection, tz: ZoneInfo, clock: int) -> dict[str, Cells]:
    """What every roll-up must hold: table -> key -> column -> number, zero columns left out. For small stores: plain loops."""
    found: dict[str, Cells] = {name: {} for name in ROLLUP_KEYS}

    def on(at: int | None) -> int | None:
        if at is None:
            return None
        local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
        return number(local.astimezone(tz).date())

    def add(name: str, key: tuple[Any, ...], column: str, amount: float = 1) -> None:
        if key[0] is not None:
            found[name].setdefault(key, Counter())[column] += amount

    today = on(clock) or 0
    for row in rows_of(connection, "core_dossier"):
        _add_dossier(add, on, row, clock, today)
    for row in rows_of(connection, "core_dossier_stop"):
        for column in ("stopped", "resumed"):
            add("rollup_dossier_day", (on(row[f"{column}_at"]), row["agency_code"], row["domain_code"]), column)
    for row in rows_of(connection, "core_dossier_time"):
        _add_time(add, row)
    for row in rows_of(connection, "core_report"):
        _add_report(add, on, row, clock)
    _add_readings(connection, found, on, tz)
    return {name: {key: cell for key, cell in cells.items() if any(cell.values())} for name, cells in found.items()}


def _add_time(add: Any, row: Mapping[str, Any]) -> None:
    """What judging made of a dossier; test_judging.py checks those rows by minutes."""
    cell = (row["agency_code"], row["domain_code"])
    if row["finished_on"] is not None:
        add("rollup_dossier_day", (row["finished_on"], *cell), "worked_n")
        add("rollup_dossier_day", (row["finished_on"], *cell), "worked_microdays", row["worked_s"] * 1_000_000 // row["day_s"])
    if row["due_gap_wd"] is not None:
        add("rollup_dossier_day", (row["received_on"], *cell), "due_checked")
        if row["due_gap_wd"]:
            add("rollup_dossier_day", (row["received_on"], *cell), "due_differs")


def _add_dossier(add: Any, on: Any, row: Mapping[str, Any], clock: int, today: int) -> None:
    day = lambda at, column: add("rollup_dossier_day", (on(at), row["agency_code"], row["domain_code"]), column)  # noqa: E731
    received, finished, due, filed = (row[f"{name}_at"] for name in ("received", "finished", "due", "filed"))
    if row["status"] == 0:
        day(filed, "unmapped")
    if row["status"] in OUTSIDE:
        day(filed, "new" if row["status"] == 1 else "refused")
        return
    before = finished is not None and finished < received
    day(received, "received")
    if row["channel"] in ("online", "postal"):
        day(received, f"received_{row['channel']}")
    for name in facts_in(row):
        day(received, name)
    if before:
        day(received, "ended_before_start_in")
        day(finished, "ended_before_start_out")
    if due is None and not before:
        day(received, "no_due_in")
    if finished is not None:
        for name in (*_ending(row, on, before), *facts_out(row)):
            day(finished, name)
        if on(finished) == on(received):
            day(finished, "finished_same_day")
    _add_passing(add, on, row, before, clock, today)


def _ending(row: Mapping[str, Any], on: Any, before: bool) -> list[str]:
    finished, due = row["finished_at"], row["due_at"]
    names = ["finished"] + (["withdrawn"] if row["status"] == 7 else [])
    if due is None:
        return names + ["finished_no_due"] + ([] if before else ["no_due_out"])
    if on(finished) < on(due):
        names.append("finished_early")
    elif finished <= due:
        names.append("finished_on_time")
    if finished > due:
        names += ["finished_late"] + ([] if before else ["overdue_ended"])
    if on(finished) > on(due):
        names += ["finished_late_day"] + ([] if before else ["overdue_ended_day"])
    if finished <= due and row["supplement_count"] > 1:
        names.append("second_supplement_late")
    return names


def _add_passing(add: Any, on: Any, row: Mapping[str, Any], before: bool, clock: int, today: int) -> None:
    received, finished, due, stopped = (row[f"{name}_at"] for name in ("received", "finished", "due", "stopped"))
    if before or due is None:
        return
    verdict = finished if finished is not None else stopped
    cell = (row["agency_code"], row["domain_code"])
    _add_late_766(add, on, row, clock if verdict is None else verdict)
    if due < (clock if verdict is None else verdict):
        add("rollup_dossier_day", (on(max(due, received)), *cell), "due_passed")
    if on(due) < (today if verdict is None else on(verdict)):
        add("rollup_dossier_day", (max(on(due) + 1, on(received)), *cell), "due_passed_day")


def _add_late_766(add: Any, on: Any, row: Mapping[str, Any], verdict: int) -> None:
    """Late by 766 from the day the due date passed, or from that of the second request for papers if that is no later."""
    received, finished, due, second = (row[f"{name}_at"] for name in ("received", "finished", "due", "second_supplement"))
    begins = [max(on(due), on(received))] if due < verdict else []
    if second is not None:
        asked = max(on(second), on(received)) if finished is None else min(max(on(second), on(received)), on(finished))
        is_ahead = not begins and row["finished_at"] is None and row["stopped_at"] is None and asked > max(on(due), on(received))
        begins += [] if is_ahead else [asked]
    if begins:
        add("rollup_dossier_day", (min(begins), row["agency_code"], row["domain_code"]), "late_766")
        if finished is not None:
            add("rollup_dossier_day", (on(finished), row["agency_code"], row["domain_code"]), "late_766_ended")


def _add_report(add: Any, on: Any, row: Mapping[str, Any], clock: int) -> None:
    cell = (row["agency_code"], row["area_code"], row["category_code"])
    received, closed, due = row["received_at"], row["closed_at"], row["due_at"]
    closed = closed if row["status"] in DONE_REPORTS else None
    before = closed is not None and closed < received
    into = {
        "received": True, "no_due_in": due is None and not before, "urgent": row["is_urgent"], "duplicate": row["is_duplicate"],
        "ended_before_start_in": before,
    }
    for name, holds in into.items():
        if holds:
            add("rollup_report_day", (on(received), *cell), name)
    for name, at in quality_flows(row):
        add("rollup_report_day", (on(at), *cell), name)
    if closed is not None:
        late = due is not None and closed > due
        out = {
            "closed": True, "closed_on_time": due is not None and not late, "closed_late": late, "closed_no_due": due is None,
            "no_due_out": due is None and not before, "overdue_ended": late and not before, "ended_before_start_out": before,
        }
        for name, holds in out.items():
            if holds:
                add("rollup_report_day", (on(closed), *cell), name)
    if due is not None and not before and due < (clock if closed is None else closed):
        add("rollup_report_day", (on(max(due, received)), *cell), "due_passed")


def _add_readings(connection: Connection, found: dict[str, Cells], on: Any, tz: ZoneInfo) -> None:
    streams = {row["id"]: row for row in rows_of(connection, "core_datastream")}
    stations = {(row["feed"], row["source_id"]): row["area_code"] for row in rows_of(connection, "core_station")}
    readings: dict[int, list[tuple[int, float, int]]] = {}
    for row in rows_of(connection, "core_reading"):
        readings.setdefault(row["datastream_id"], []).append((row["observed_at"], row["value"], row["flag"]))
    values: dict[tuple[str, tuple[Any, ...]], list[tuple[float, int]]] = {}
    for ref, rows in readings.items():
        stream = streams[ref]
        area = stations.get((stream["feed"], stream["station_id"]), "")
        right = stream_flags(stream["property"], stream["measure_unit"], rows)
        found["core_reading"].update({(at // HOUR, ref, at): Counter({"flag": flag}) for at, flag in right.items()})
        for at, value, _ in rows:
            for name, key in (
                ("rollup_reading_hour", (at // HOUR, ref)), ("rollup_reading_hour_area", (at // HOUR, area, stream["property"])),
                ("rollup_reading_day", (on(at), ref)),
            ):
                values.setdefault((name, key), []).append((value, right[at]))
    for (name, key), seen in values.items():
        sound = [value for value, flag in seen if not flag]
        shown = sound or [value for value, _ in seen]
        cell = {"n": len(sound), "total": math.fsum(sound), "low": min(shown), "high": max(shown), "flagged": len(seen) - len(sound)}
        timed = [value for value, flag in seen if flag != SKEW]
        if name == "rollup_reading_hour" and timed:
            cell |= {"lowest": min(timed), "highest": max(timed)}
        found[name][key] = Counter(cell)
    _add_hours_of_days(found, tz, {ref: stream["property"] for ref, stream in streams.items()})


def _add_hours_of_days(found: dict[str, Cells], tz: ZoneInfo, properties: Mapping[int, str]) -> None:
    """Whole hours of each day with sound readings, the mean and the highest of their means, the highest of eight in a row."""
    hours = found["rollup_reading_hour"]
    for (day, ref), cell in found["rollup_reading_day"].items():
        first, last = -(-day_start(day, tz) // HOUR), day_start(day + 1, tz) // HOUR
        means = {
            hour: hours[hour, ref]["total"] / hours[hour, ref]["n"]
            for hour in range(first, last) if (hour, ref) in hours and hours[hour, ref]["n"]
        }
        if not means:
            continue
        cell.update({"hours": len(means), "hour_mean": math.fsum(means.values()) / len(means), "hour_high": max(means.values())})
        windows = [[means[hour] for hour in range(start, start + 8) if hour in means] for start in range(first, last - 7)]
        eights = [math.fsum(window) / len(window) for window in windows if len(window) >= 6]
        if properties[ref] in ("o3", "co") and eights:
            cell["high_8h"] = max(eights)


def rows_of(connection: Connection, name: str) -> list[dict[str, Any]]:
    """All rows of a table as plain dictionaries."""
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]


ROLLUP_KEYS = {
    "rollup_dossier_day": ("day", "agency_code", "domain_code"),
    "rollup_report_day": ("day", "agency_code", "area_code", "category_code"),
    "rollup_reading_hour": ("hour", "datastream_id"),
    "rollup_reading_hour_area": ("hour", "area_code", "property"),
    "rollup_reading_day": ("day", "datastream_id"),
    "core_reading": ("hour", "datastream_id", "observed_at"),  # of its columns the flag alone is computed
}


def rollup_rows(connection: Connection) -> dict[str, Cells]:
    """What the roll-ups hold, in the same shape."""
    found: dict[str, Cells] = {}
    for name, keys in ROLLUP_KEYS.items():
        found[name] = {}
        for row in rows_of(connection, name):
            key = tuple(row.pop(column) for column in keys)
            row.pop("value", None)
            found[name][key] = Counter({column: value for column, value in row.items() if value})
    return found


def rollup_differences(connection: Connection, tz: ZoneInfo, clock: int) -> list[str]:
    """Every cell in which a roll-up differs from the truth; empty when all is right."""
    truth, stored, faults = rollup_truth(connection, tz, clock), rollup_rows(connection), []
    for name in ROLLUP_KEYS:
        for key in truth[name].keys() | stored[name].keys():
            right, held = truth[name].get(key, Counter()), stored[name].get(key, Counter())
            for column in right.keys() | held.keys():
                if not math.isclose(right[column], held[column], rel_tol=1e-9, abs_tol=1e-9):
                    faults.append(f"{name} {key} {column}: {held[column]} stored, {right[column]} true")
    return sorted(faults)

