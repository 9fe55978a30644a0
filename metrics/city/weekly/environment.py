"""The environment's week: days of bad air, limits exceeded, rivers at alarm level, devices that spoke."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import text

from metrics.city.measured import stations
from metrics.city.numbers.kpis_environment import BAD_AQI
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.feedback import value_table
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import is_worse, joined, sentence, told
from metrics.vn_aqi import category
from store.days import date_of, number_of

SECTION, TOP, HARMFUL_AQI = "environment", 10, 150
KEYS = ("vn_aqi_daily", "aqi_bad_days", "qcvn_exceedances", "water_stations_over_alarm", "stations_reporting_pct", "devices_uptime_pct")
STATIONS = (
    Column("station"), Column("worst", "figure"), Column("on", "date"), Column("aqi_category"), Column("bad_days", "figure"),
    Column("harmful_days", "figure"), Column("days", "figure"),
)
SAID = ("qcvn_exceedances", "water_stations_over_alarm", "devices_uptime_pct")


def statements(asking: Asking) -> tuple[Statement, ...]:
    """Station days of bad air beside the week before, then what else is known."""
    if "readings" not in asking.whole:
        return ()
    bad, said = asking.values["aqi_bad_days"], list[Cell]()
    if bad.value is not None:
        harmful = sum(_indices(asking)["aqi"] > HARMFUL_AQI)
        words: dict[str, Cell] = {"bad": Figure(bad.value, "none"), "n": Figure(bad.n, "none"), "harmful": Figure(int(harmful), "none")}
        before, _ = asking.before("aqi_bad_days")
        is_beside = before is not None
        if is_beside:
            words |= {"before": Figure(before, "none"), "than": asking.than}
        said.append(Word("weekly.say.air_beside" if is_beside else "weekly.say.air", words))
    said += [
        Word(f"weekly.say.{key}", {"value": told(asking.values[key]), "n": Figure(asking.values[key].n, "none")})
        for key in SAID if asking.values[key].value is not None
    ]
    link = Link("/stations", asking.query())
    is_warning = bool(asking.values["water_stations_over_alarm"].value) or is_worse(asking, *KEYS)
    return (Statement(SECTION, sentence(joined(said)), link, is_warning=is_warning),) if said else ()


def tables(asking: Asking) -> tuple[Table, ...]:
    """The week's figures; the stations with the worst days, for readers who may see stations."""
    if "readings" not in asking.whole:
        return ()
    found = (value_table(asking, "environment", SECTION, KEYS),)
    return (*found, *_worst(asking)) if asking.city.scope.permits("see.stations") else found


def _indices(asking: Asking) -> pd.DataFrame:
    end_on = min(number_of(asking.week.end_on), asking.city.today_on)
    return stations.daily_indices(asking.connection, asking.city, "", number_of(asking.week.start_on), end_on)


def _worst(asking: Asking) -> tuple[Table, ...]:
    """The stations whose worst day was worst."""
    found: dict[str, list[tuple[float, int]]] = {}
    indices = _indices(asking)
    for station, aqi, on in zip(indices["station"], indices["aqi"], indices["day"], strict=True):
        found.setdefault(str(station), []).append((float(aqi), int(on)))
    names: dict[str, str] = dict(asking.connection.execute(text("SELECT feed || '/' || source_id, name FROM core_station")).all())
    rows = []
    for station, days in sorted(found.items(), key=lambda item: (-max(item[1])[0], item[0]))[:TOP]:
        worst, on = max(days, key=lambda day: (day[0], -day[1]))
        bad, harmful = (sum(aqi > limit for aqi, _ in days) for limit in (BAD_AQI, HARMFUL_AQI))
        feed, _, source_id = station.partition("/")
        rows.append(Row((
            names.get(station) or source_id, Figure(worst, "aqi"), date_of(on), Word(f"aqi.{category(int(worst)).key}"),
            Figure(bad, "none"), Figure(harmful, "none"), Figure(len(days), "none"),
        ), Link(f"/stations/{feed}~{source_id}", {})))
    return (Table("environment_stations", SECTION, STATIONS, tuple(rows)),) if rows else ()
