"""Sensor readings from CSV files: long form (a row is one value) or wide form (a column is one sensor or property).

What describes station and datastream repeats from row to row, so it is mapped once per distinct set of
cells. options.stations = {path, fields} joins a separate file of stations; its path is taken beside the
feed's own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config import ConfigError, FeedConfig
from data_sources.csv_file import csv_client
from data_sources.feed import RawBatch
from data_sources.mapping import COLUMN, DEFAULT_ZONE, VALUE, FeedMapping, Problem, compile_mapping
from data_sources.rejects import not_a_table, rejects_of
from data_sources.sensors.limits import checked, gauge, latest_instant
from data_sources.sensors.parse import KINDS, kind_of
from data_sources.sensors.properties import property_key
from store.rows import DatastreamRow, Parsed, ReadingRow, Reject, StationRow

STATION_TARGETS = ("station_id", "station_name", "kind", "lon", "lat", "area")
STREAM_TARGETS = ("datastream_id", "property", "measure_unit", "datastream_name", "cadence_s")
READING_TARGETS = ("observed_at", "value")
TARGETS = (*STATION_TARGETS, *STREAM_TARGETS, *READING_TARGETS)
RANGES: dict[str, dict[str, Any]] = {"lon": {"range": [-180, 180]}, "lat": {"range": [-90, 90]}}


def read_table(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """Batches of rows as the CSV client gives them; before the first, one of kind "stations" when a file is joined."""
    own = replace(manifest, options={key: value for key, value in manifest.options.items() if key != "stations"})
    is_first = True
    for batch in csv_client(own, cursor, now):
        if is_first and "stations" in manifest.options and batch.items:
            for rows in csv_client(_station_feed(manifest), None, now):
                yield replace(rows, cursor=None, kind="stations")
        is_first = False
        yield batch


def _station_feed(manifest: FeedConfig) -> FeedConfig:
    joined = manifest.options["stations"]
    if not isinstance(joined, Mapping) or not joined.get("path") or not isinstance(joined.get("fields"), Mapping):
        raise ConfigError(f'feed {manifest.key}: options.stations must be {{ path = "file.csv", fields = {{ ... }} }}')
    options = {key: value for key, value in joined.items() if key not in ("path", "fields")}
    return replace(manifest, path=str(Path(manifest.path).parent / joined["path"]), options=options)


def parse_table(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """Rows of one batch. Rows + rejects + missing values (counted in item_count only) = values sent."""
    if batch.kind == "stations":
        return _stations(manifest, batch)
    return _Reader(manifest, now).parsed(batch)


def _compiled(manifest: FeedConfig, table: Mapping[str, Any], known: Sequence[str]) -> FeedMapping:
    ranged = {
        name: {**RANGES.get(name, {}), **spec} if isinstance(spec, Mapping) else spec for name, spec in table.items()
    }
    zone = ZoneInfo(manifest.zone or DEFAULT_ZONE)
    return compile_mapping(
        ranged, zone=zone, known=known, where=f"feed {manifest.key}", personal=manifest.personal, of="station",
    )


def _stations(manifest: FeedConfig, batch: RawBatch) -> Parsed:
    mapping = _compiled(manifest, manifest.options["stations"]["fields"], STATION_TARGETS)
    rows: list[StationRow] = []
    rejects: list[Reject] = []
    for number, item in enumerate(batch.items, batch.offset):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        values, problems = mapping.apply(item, number)
        if not problems and not values.get("station_id"):
            problems = (Problem("station_id", "missing_field"),)
        if problems:
            rejects += rejects_of(problems, item, f"station row {number + 1}", mapping.sources, manifest.personal)
        else:
            rows.append(_station(values, ()))
    return Parsed(stations=tuple(rows), rejects=tuple(rejects), item_count=len(batch.items))


def _station(values: Mapping[str, Any], streams: Sequence[DatastreamRow]) -> StationRow:
    key = str(values["station_id"])
    kind = str(values.get("kind", ""))
    lon, lat = values.get("lon"), values.get("lat")
    if lon is None or lat is None or lon == lat == 0:
        lon = lat = None
    name = str(values.get("station_name", key))[:300]
    return StationRow(key, name, kind if kind in KINDS else kind_of(streams), lon, lat, str(values.get("area", "")))


class _Described:
    """What the describing cells of a row mean: its datastream and how to check its values, or why it is refused."""

    __slots__ = ("check", "key", "problems")

    def __init__(self, key: str, check: Callable[[float], tuple[float, str]], problems: tuple[Problem, ...]) -> None:
        self.key, self.check, self.problems = key, check, problems


class _Reader:
    """One batch: mappings, what was described so far, the rows to be."""

    def __init__(self, manifest: FeedConfig, now: datetime) -> None:
        self.manifest, self.latest = manifest, latest_instant(now)
        table = dict(manifest.fields)
        self.wide = table.pop("wide", None)
        timed = {name: table.pop(name) for name in ("observed_at",) if name in table}
        valued = {name: table.pop(name) for name in ("value",) if name in table}
        _check_complete(manifest, self.wide, timed, valued, table)
        self.time = _compiled(manifest, timed, TARGETS)
        self.value = _compiled(manifest, valued, TARGETS)
        self.about = _compiled(manifest, table, TARGETS)
        self.columns = _sources(table)
        self.kept = {**self.time.sources, **self.value.sources, **self.about.sources}
        self.names_station = "stations" not in manifest.options or any(
            name in table for name in ("station_name", "lon", "lat", "kind", "area")
        )
        self.known: dict[Any, _Described] = {}
        self.stations: dict[str, StationRow] = {}
        self.streams: dict[str, DatastreamRow] = {}
        self.streams_of: dict[str, list[DatastreamRow]] = {}
        self.readings: list[ReadingRow] = []
        self.rejects: list[Reject] = []

    def parsed(self, batch: RawBatch) -> Parsed:
        """All rows of the batch."""
        count = 0
        chosen = _chooser(self.manifest, self.wide)
        for number, item in enumerate(batch.items, batch.offset):
            if not isinstance(item, Mapping):
                self.rejects.append(not_a_table(item, number))
                count += 1
                continue
            timed, problems = self.time.apply(item, number)
            if chosen is None:
                count += 1
                self._one(item, item, number, timed, problems)
                continue
            for column in chosen(item):
                count += 1
                cell = {COLUMN: column, VALUE: item[column]}
                self._one(cell, item, number, timed, problems)
        return Parsed(
            stations=tuple(self.stations.values()), datastreams=tuple(self.streams.values()),
            readings=tuple(self.readings), rejects=tuple(self.rejects), item_count=count,
        )

    def _one(
        self, cell: Mapping[str, Any], item: Mapping[str, Any], number: int, timed: Mapping[str, Any],
        problems: tuple[Problem, ...],
    ) -> None:
        """One value: a reading, a reject with the first reason found, or nothing when it is missing."""
        column = cell.get(COLUMN, "") if cell is not item else ""
        about = self._described(item, column, number)
        values, bad_value = self.value.apply(cell, number)
        found = about.problems or bad_value[:1] or problems[:1]
        if not found:
            value = values.get("value")
            if value is None:
                return
            at = timed.get("observed_at")
            found = _time_problem(at, self.latest)
            if not found:
                stored, reason = about.check(value)
                if not reason:
                    self.readings.append(ReadingRow(about.key, at, stored))  # type: ignore[arg-type]
                    return
                found = (Problem("value", reason, f"{value:g}"),)
        name = f"row {number + 1}" + (f" column {column}" if column else "")
        payload = {**cell} if cell is not item else item
        self.rejects += rejects_of(found[:1], payload, name, self.kept, self.manifest.personal)

    def _described(self, item: Mapping[str, Any], column: str, number: int) -> _Described:
        key = (column, *[str(item.get(name)) for name in self.columns])
        known = self.known.get(key)
        if known is None:
            source = {**item, COLUMN: column} if column else item
            known = self.known[key] = self._describe(source, number)
        return known

    def _describe(self, item: Mapping[str, Any], number: int) -> _Described:
        values, problems = self.about.apply(item, number)
        if not problems and not values.get("station_id"):
            problems = (Problem("station_id", "missing_field"),)
        if problems:
            return _Described("", lambda value: (value, ""), problems)
        station = str(values["station_id"])
        short = property_key(str(values.get("property", "")))
        read = gauge(short, str(values.get("measure_unit", "")))
        key = str(values.get("datastream_id", f"{station}:{short}"))
        name = str(values.get("datastream_name", values.get("property", short)))[:300]
        row = DatastreamRow(key, station, short, read.unit, name, values.get("cadence_s") or self.manifest.cadence_s)
        self.streams[key] = row
        self.streams_of.setdefault(station, []).append(row)
        if self.names_station:
            self.stations[station] = _station(values, self.streams_of[station])
        return _Described(key, checked(read), ())


def _time_problem(at: int | None, latest: int) -> tuple[Problem, ...]:
    if at is None:
        return (Problem("observed_at", "missing_field"),)
    return (Problem("observed_at", "future_date", str(at)),) if at > latest else ()


def _chooser(manifest: FeedConfig, wide: Any) -> Callable[[Mapping[str, Any]], list[str]] | None:
    """A function row -> its columns that hold values, for wide files."""
    if wide is None:
        return None
    # The engine decides which columns a `wide` row means; asked once per set of columns.
    probe = _compiled(manifest, {"wide": wide, "station_name": {"from": COLUMN}}, TARGETS)
    known: dict[tuple[str, ...], list[str]] = {}

    def choose(item: Mapping[str, Any]) -> list[str]:
        columns = tuple(item)
        if columns not in known:
            known[columns] = [str(values.get("station_name", "")) for values, _ in probe.rows(item)]
        return known[columns]

    return choose


def _sources(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns the describing fields are read from."""
    names: dict[str, None] = {}
    for spec in table.values():
        if isinstance(spec, Mapping):
            for name in (spec.get("from"), *spec.get("first", ()), *spec.get("join", ())):
                if name and name != COLUMN:
                    names[name] = None
    return tuple(names)


def _check_complete(
    manifest: FeedConfig, wide: Any, timed: Mapping[str, Any], valued: Mapping[str, Any], table: Mapping[str, Any]
) -> None:
    given = {**timed, **valued, **table}
    missing = [name for name in ("station_id", "property", *READING_TARGETS) if name not in given]
    faults = [f"feed {manifest.key}: fields.{name} is missing" for name in missing]
    if wide is not None and dict(valued.get("value", {})).get("from") != VALUE:
        faults.append(f'feed {manifest.key}: fields.value of a wide file must be {{ from = "{VALUE}" }}')
    if faults:
        raise ConfigError("the mapping has faults:\n" + "\n".join(f"- {fault}" for fault in faults))


