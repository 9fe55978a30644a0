"""Known truths of the real data sets, unshifted: the city files of examples/ read by the real pipeline, counted through City."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from metrics.city import feeds
from metrics.city.numbers import kpis, series
from metrics.city.records import dossiers, reports
from metrics.periods import Period, parse_period
from store.days import date_of, instant, number_of
from tests.stores import Filled, real_store

OPEN_TO_END = "1970-01-01..2199-12-31"


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def wabo(request: pytest.FixtureRequest, make_database: Callable[..., str], real_data: Path) -> Iterator[Filled]:
    found = real_store(make_database, request.param, "wabo", real_data)
    yield found
    found.store.dispose()


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def boston(request: pytest.FixtureRequest, make_database: Callable[..., str], real_data: Path) -> Iterator[Filled]:
    found = real_store(make_database, request.param, "boston", real_data)
    yield found
    found.store.dispose()


@pytest.fixture(scope="module")
def hanoi(make_database: Callable[..., str], real_data: Path) -> Iterator[Filled]:
    """Whole on SQLite only: 355,475 rows took 28-35 s to land on two shared cores."""
    found = real_store(make_database, "sqlite", "hanoi", real_data, whole=True)
    yield found
    found.store.dispose()


def whole(filled: Filled) -> Period:
    """Everything up to the archive's end."""
    return parse_period(f"2000-01-01..{filled.city.today}", filled.city.today)


def value(filled: Filled, key: str, rule: str = "") -> float | None:
    return kpis.read(filled.city, [key], whole(filled), late_rule=rule)[0].value


# --- WABO -------------------------------------------------------------------------------------------------


def test_wabo_has_1434_dossiers_1329_finished_and_105_open(wabo: Filled) -> None:
    assert value(wabo, "dossiers_received") == 1434
    assert value(wabo, "dossiers_finished") == 1329
    assert value(wabo, "dossiers_open") == 105


def test_wabo_has_377_late_by_the_instant_and_309_by_the_day(wabo: Filled) -> None:
    assert wabo.config.timezone == "Europe/Amsterdam"
    assert value(wabo, "dossiers_late", "late_instant") == 377
    assert value(wabo, "dossiers_late", "late_day") == 309


def test_wabo_loses_no_date_and_rejects_nothing(wabo: Filled) -> None:
    assert feeds.reject_counts(wabo.city) == ()
    with wabo.store.reading() as connection:
        missing = connection.scalar(text("SELECT count(*) FROM core_dossier WHERE received_at IS NULL OR due_at IS NULL"))
    assert missing == 0


def test_wabo_names_the_two_that_ended_before_they_started(wabo: Filled, real_data: Path) -> None:
    with gzip.open(real_data / "dossiers-wabo-receipt" / "receipt.csv.gz", "rt", encoding="utf-8") as file:
        rows = {row["case:concept:name"]: row for row in csv.DictReader(file)}
    ends = {key: row for key, row in rows.items() if row["case:enddate"]}
    expected = {
        key for key, row in ends.items()
        if datetime.fromisoformat(row["case:enddate"]) < datetime.fromisoformat(row["case:startdate"])
    }
    assert len(expected) == 2
    assert {item.source_id for item in named(wabo)} == expected
    with wabo.store.reading() as connection:
        flows = connection.execute(
            text("SELECT sum(ended_before_start_in), sum(ended_before_start_out) FROM rollup_dossier_day")
        ).one()
    assert tuple(int(count) for count in flows) == (2, 2)


def named(filled: Filled) -> tuple[dossiers.DossierItem, ...]:
    page = dossiers.read(filled.city, dossiers.DossierFilter(state="ended_before_start"))
    assert page.total == len(page.rows)
    return page.rows


# --- Boston -----------------------------------------------------------------------------------------------


def boston_file(real_data: Path) -> dict[str, dict[str, str]]:
    with gzip.open(real_data / "feedback-boston-311" / "boston_311_requests.csv.gz", "rt", encoding="utf-8-sig") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def boston_verdicts(filled: Filled) -> dict[str, tuple[bool, str]]:
    """Case -> (is closed, our verdict), from the store's rows at the archive's instant."""
    with filled.store.reading() as connection:
        rows = connection.execute(text("SELECT source_id, closed_at, due_at FROM core_report")).all()
    found = {}
    for key, closed, due in rows:
        judged = closed if closed is not None else filled.city.as_of
        found[key] = (closed is not None, "" if due is None else "OVERDUE" if judged > due else "ONTIME")
    return found


def test_boston_has_5473_requests(boston: Filled) -> None:
    assert value(boston, "reports_received") == 5473
    assert feeds.reject_counts(boston.city) == ()


def test_boston_verdicts_equal_the_files_own_for_all_4090_closed_with_a_due_date(boston: Filled, real_data: Path) -> None:
    rows, verdicts = boston_file(real_data), boston_verdicts(boston)
    closed = {key for key, (is_closed, verdict) in verdicts.items() if is_closed and verdict}
    assert len(closed) == 4090
    assert [key for key in closed if rows[key]["on_time"] != verdicts[key][1]] == []
    with boston.store.reading() as connection:
        kept = connection.execute(text("SELECT sum(closed_on_time), sum(closed_late) FROM rollup_report_day")).one()
    right = Counter(rows[key]["on_time"] for key in closed)
    assert (int(kept[0]), int(kept[1])) == (right["ONTIME"], right["OVERDUE"])


def test_boston_open_requests_are_judged_at_the_snapshot(boston: Filled, real_data: Path) -> None:
    rows, verdicts = boston_file(real_data), boston_verdicts(boston)
    still = {key for key, (is_closed, verdict) in verdicts.items() if not is_closed and verdict}
    assert [key for key in still if rows[key]["on_time"] != verdicts[key][1]] == []
    assert value(boston, "reports_overdue") == sum(rows[key]["on_time"] == "OVERDUE" for key in still) == 1348
    page = reports.read(boston.city, reports.ReportFilter(state="overdue"))
    assert page.total == 1348
    assert {rows[item.source_id]["on_time"] for item in page.rows} == {"OVERDUE"}


def test_boston_requests_without_a_due_date_are_their_own_class(boston: Filled, real_data: Path) -> None:
    rows = boston_file(real_data)
    without = [row for row in rows.values() if not row["target_close_date"]]
    found = kpis.read(boston.city, ["reports_overdue", "reports_open"], whole(boston))
    still = sum(not row["close_date"] for row in rows.values())
    assert found[1].value == still
    assert found[0].n == still - sum(not row["close_date"] for row in without)
    with boston.store.reading() as connection:
        counted = connection.execute(text("SELECT sum(no_due_in), sum(closed_no_due) FROM rollup_report_day")).one()
    assert (int(counted[0]), int(counted[1])) == (len(without), sum(bool(row["close_date"]) for row in without))


# --- Hà Nội -----------------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """What a row of the file says."""

    sensor: str
    parameter: str
    at: str
    value: float


@pytest.fixture(scope="module")
def hanoi_file(real_data: Path) -> list[Sent]:
    """The rows of the file, read once."""
    name = real_data / "sensors-openaq-hanoi" / "openaq_hanoi_measurements.csv.gz"
    with gzip.open(name, "rt", encoding="utf-8-sig") as file:
        return [Sent(row["sensors_id"], row["parameter"], row["datetime"], float(row["value"])) for row in csv.DictReader(file)]


def test_hanoi_rejects_sentinels_and_impossible_values_with_reasons(hanoi: Filled, hanoi_file: list[Sent]) -> None:
    """SOURCE.md says 8,736 sentinels; the file itself holds 8,724 values that equal -999."""
    values = [row.value for row in hanoi_file]
    sentinels = sum(sent == -999 for sent in values)
    assert (len(values), sentinels) == (355_475, 8_724)
    counts: Counter[str] = Counter()
    for row in feeds.reject_counts(hanoi.city):
        assert row.field == "value"
        counts[row.reason] += row.count
    # counted in the file itself: 8,724 values are exactly -999, 1,926 others are negative, 30 are too high
    assert counts == {"sentinel": sentinels, "out_of_range": 1_956}
    assert sum(sent < 0 and sent != -999 for sent in values) == 1_926
    with hanoi.store.reading() as connection:
        things = [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("core_station", "core_datastream")]
        landed, lowest = connection.execute(text("SELECT count(*), min(value) FROM core_reading")).one()
    assert lowest >= 0 and things == [28, 107]
    assert landed + counts.total() == len(values) - repeated(hanoi_file)


def repeated(rows: list[Sent]) -> int:
    """Rows whose sensor and instant occurred before: the same key, so no row of their own."""
    keys = Counter((row.sensor, row.at) for row in rows)
    return sum(count - 1 for count in keys.values())


def test_a_hanoi_reading_at_1730_utc_belongs_to_the_next_local_day(hanoi: Filled, hanoi_file: list[Sent]) -> None:
    days = hanoi.store.days
    assert date_of(days.on(instant(datetime(2024, 3, 1, 17, 30, tzinfo=UTC))) or 0).isoformat() == "2024-03-02"
    sensor, local = busy_local_day(hanoi_file)
    on = number_of(local)
    start = instant(datetime(local.year, local.month, local.day, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")))
    with hanoi.store.reading() as connection:
        kept = connection.execute(
            text(
                "SELECT r.n FROM rollup_reading_day r JOIN core_datastream d ON d.id = r.datastream_id "
                "WHERE d.source_id = :id AND r.day = :on"
            ),
            {"id": sensor, "on": on},
        ).scalar()
    expected = {
        row.at for row in hanoi_file
        if row.sensor == sensor and start <= instant(datetime.fromisoformat(row.at)) < start + 86_400_000_000
    }
    assert kept == len(expected) == 24
    first = min(expected)
    assert first.startswith(f"{local - timedelta(days=1)} 17:")  # seven hours of the local day lie on the UTC day before


def test_the_daily_index_of_hanoi_is_the_oracles_in_every_month_of_the_archive(hanoi: Filled) -> None:
    """And so are the flags it rests on. tests/test_oracle.py asks every other KPI of the last two months."""
    today, compared = hanoi.city.today, 0
    with hanoi.store.reading() as connection:
        truth = hanoi.oracle(connection)
        first = date_of(int(truth.readings["observed_at"].min()) // 86_400_000_000)
        years = [f"{year}-01-01..{min(f'{year}-12-31', str(today))}" for year in range(first.year, today.year + 1)]  # City's longest
        for point in (point for year in years for point in series.read(hanoi.city, "vn_aqi", "month", parse_period(year, today))):
            part = parse_period(point.group, today)
            start, end = number_of(part.start_on), min(number_of(part.end_on), truth.today)
            right = [index for on in range(start, end + 1) for index in truth.day_indices(on)]
            assert (point.value, point.n) == (max(right, default=None), len(right)), point.group
            assert sorted(right) == sorted(truth.environment.indices(start, end, "")), point.group
            compared += bool(right)
    assert compared >= 12


def busy_local_day(rows: list[Sent]) -> tuple[str, datetime]:
    """A sensor and a local day with a good value in each of its 24 hours."""
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.parameter == "co" and 0 <= row.value < 5000:
            local = datetime.fromisoformat(row.at).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
            seen[row.sensor, f"{local:%Y-%m-%d}"] += 1
            if seen[row.sensor, f"{local:%Y-%m-%d}"] == 24 and local.month == 7:
                return row.sensor, datetime.fromisoformat(f"{local:%Y-%m-%d}").date()
    raise AssertionError("no whole day in the file")
