"""SensorThings entities -> stations, datastreams, readings and rejects. Pure.

A null result is a missing value: counted in item_count, neither a reading nor a reject, and never zero.
Fields of the manifest may override how a Thing (name, kind, area) and a Datastream (property, measure_unit,
cadence_s) are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shapely.errors import ShapelyError
from shapely.geometry import shape

from config import FeedConfig
from data_sources.feed import RawBatch
from data_sources.mapping import FeedMapping, Problem, compile_mapping
from data_sources.redact import redact
from data_sources.rejects import not_a_table, rejects_of, shown, told
from data_sources.sensors.limits import checked, gauge, latest_instant
from data_sources.sensors.observed import RESULT, TIME, Observed, instant_of, observations_of
from data_sources.sensors.properties import known_properties, property_key
from data_sources.transforms import as_text, read_number
from store.rows import DatastreamRow, Parsed, ReadingRow, Reject, StationRow

THING_FIELDS: dict[str, Any] = {
    "name": {"first": ["name", "description", "@iot.id"], "text_max": 300},
    "kind": {"from": "properties.kind", "text_max": 40},
    "area": {"from": "properties.area", "text_max": 100},
}
DATASTREAM_FIELDS: dict[str, Any] = {
    "property": {"first": ["ObservedProperty.name", "name"], "text_max": 300},
    "measure_unit": {"first": ["unitOfMeasurement.symbol", "unitOfMeasurement.name"], "text_max": 60},
    "cadence_s": {"from": "properties.cadence_s"},
}
MAX_KEY = 200
_ID = {"@iot.id": False}  # kept in rejects as it is
KINDS = ("air", "weather", "water", "traffic", "farm", "camera", "other")


def parse_sensorthings(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """Rows of one batch of the client ("things" or "observations"), or of pushed Things, Observations and dataArrays."""
    streams = _mapping(manifest, DATASTREAM_FIELDS)
    if batch.kind:
        return _one_kind(manifest, batch, streams, now)
    things: list[Any] = []
    others: list[Any] = []
    for item in batch.items:
        is_thing = isinstance(item, Mapping) and ("Datastreams" in item or "Locations" in item)
        (things if is_thing else others).append(item)
    first = _one_kind(manifest, replace(batch, items=things, kind="things"), streams, now)
    then = _one_kind(manifest, replace(batch, items=others, kind="observations"), streams, now)
    return replace(
        first, readings=then.readings, rejects=first.rejects + then.rejects, item_count=first.item_count + then.item_count
    )


def _one_kind(manifest: FeedConfig, batch: RawBatch, streams: FeedMapping, now: datetime) -> Parsed:
    if batch.kind == "things":
        return _things(manifest, batch, _mapping(manifest, THING_FIELDS), streams)
    return _observations(manifest, batch, streams, now)


def as_block(item: Any) -> Mapping[str, Any] | None:
    """The item as a block of observations; a single Observation becomes a block of one, anything else None."""
    if not isinstance(item, Mapping):
        return None
    if isinstance(item.get("value"), list) or isinstance(item.get("dataArray"), list):
        return item
    return {"Datastream": item.get("Datastream"), "value": [item]} if TIME in item or RESULT in item else None


def _mapping(manifest: FeedConfig, defaults: Mapping[str, Any]) -> FeedMapping:
    table = {name: manifest.fields.get(name, spec) for name, spec in defaults.items()}
    known = tuple(THING_FIELDS | DATASTREAM_FIELDS)
    unknown = {name: spec for name, spec in manifest.fields.items() if name not in known}
    return compile_mapping(
        table | unknown, zone=ZoneInfo("UTC"), known=known, where=f"feed {manifest.key}", personal=manifest.personal,
        of="station",
    )


def _things(manifest: FeedConfig, batch: RawBatch, names: FeedMapping, streams: FeedMapping) -> Parsed:
    stations: list[StationRow] = []
    datastreams: list[DatastreamRow] = []
    rejects: list[Reject] = []
    for number, thing in enumerate(batch.items, batch.offset):
        if not isinstance(thing, Mapping):
            rejects.append(not_a_table(thing, number))
            continue
        key = _key(thing)
        own = thing.get("Datastreams")
        listed = own if isinstance(own, list) else []
        values, problems = names.apply(thing)
        if not key:
            problems = (Problem("@iot.id", "missing_field"), *problems)
        if problems:
            rejects += rejects_of(problems, thing, key or f"thing {number + 1}", {**names.sources, **_ID}, manifest.personal)
            continue
        rows = [row for entity in listed if (row := _datastream(manifest, entity, key, streams, rejects))]
        datastreams += rows
        stations.append(_station(thing, key, values, rows))
    return Parsed(
        stations=tuple(stations), datastreams=tuple(datastreams), rejects=tuple(rejects), item_count=len(batch.items)
    )


def _station(
    thing: Mapping[str, Any], key: str, values: Mapping[str, Any], streams: Sequence[DatastreamRow]
) -> StationRow:
    point = point_of(thing.get("Locations"))
    kind = str(values.get("kind", "")).casefold()
    return StationRow(
        source_id=key, name=str(values.get("name", key)), kind=kind if kind in KINDS else kind_of(streams),
        lon=point[0] if point else None, lat=point[1] if point else None, area=values.get("area", ""),
    )


def kind_of(streams: Sequence[DatastreamRow]) -> str:
    """The kind most of a station's known properties belong to, the first of equals; "other" without any."""
    known = known_properties()
    kinds = [known[row.property].kind for row in streams if row.property in known]
    kinds = [kind for kind in kinds if kind != "other"] or kinds
    return max(kinds, key=kinds.count) if kinds else "other"


def _datastream(
    manifest: FeedConfig, entity: Any, station: str, names: FeedMapping, rejects: list[Reject]
) -> DatastreamRow | None:
    if not isinstance(entity, Mapping):
        rejects.append(not_a_table(entity, 0))
        return None
    key = _key(entity)
    values, problems = names.apply(entity)
    if not key:
        problems = (Problem("@iot.id", "missing_field"), *problems)
    if problems:
        rejects += rejects_of(problems, entity, f"datastream {key or '?'} of {station}", {**names.sources, **_ID}, manifest.personal)
        return None
    short = property_key(str(values.get("property", "")))
    unit = gauge(short, str(values.get("measure_unit", ""))).unit
    name = redact(shown(entity.get("name") or values.get("property") or short))[:300]
    return DatastreamRow(key, station, short, unit, name, values.get("cadence_s"))


def _key(entity: Mapping[str, Any]) -> str:
    key = entity.get("@iot.id")
    text = as_text(key) if isinstance(key, (str, int)) and not isinstance(key, bool) else None
    return text if text and len(text) <= MAX_KEY else ""  # a cut key would name another thing


def point_of(locations: Any) -> tuple[float, float] | None:
    """(lon, lat) of the first Location that has a usable GeoJSON geometry, inside it; None without one."""
    entities = locations if isinstance(locations, list) else [locations]
    for entity in entities:
        found = entity.get("location") if isinstance(entity, Mapping) else None
        geometry = found.get("geometry", found) if isinstance(found, Mapping) else None
        if point := _inside(geometry):
            return point
    return None


def _inside(geometry: Any) -> tuple[float, float] | None:
    if not isinstance(geometry, Mapping):
        return None
    try:
        made = shape(dict(geometry))
        point = None if made.is_empty else made.representative_point()
        lon, lat = (point.x, point.y) if point is not None else (999.0, 999.0)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0) else None


def _observations(manifest: FeedConfig, batch: RawBatch, names: FeedMapping, now: datetime) -> Parsed:
    readings: list[ReadingRow] = []
    rejects: list[Reject] = []
    count = 0
    for number, item in enumerate(batch.items, batch.offset):
        block = as_block(item)
        if block is not None:
            count += _block(manifest, block, names, latest_instant(now), readings, rejects)
        else:
            rejects.append(not_a_table(item, number))
            count += 1
    return Parsed(readings=tuple(readings), rejects=tuple(rejects), item_count=count)


def _block(
    manifest: FeedConfig, block: Mapping[str, Any], names: FeedMapping, latest: int, readings: list[ReadingRow],
    rejects: list[Reject],
) -> int:
    """Reads one block of observations into the lists; the number of observations in it. The hot loop."""
    entity = block.get("Datastream")
    entity = entity if isinstance(entity, Mapping) else {}
    key = _key(entity)
    values = names.apply(entity)[0]
    check = checked(gauge(property_key(str(values.get("property", ""))), str(values.get("measure_unit", ""))))
    times: dict[str, int | None] = {}  # stations report at the same instants
    count = 0
    for observed in observations_of(block):
        count += 1
        sent = observed.result
        if (sent is None or sent == "") and observed.time is not None:
            continue
        text = observed.time
        if type(text) is str:
            at = times[text] if text in times else times.setdefault(text, instant_of(text))
        else:
            at = None
        number = sent if type(sent) is float else _number(sent)
        if at is None or number is None or not key or at > latest:
            rejects.append(_refused(key, observed, count, _fault(key, text, at, number)))
            continue
        value, reason = check(number)
        if reason:
            rejects.append(_refused(key, observed, count, ("result", reason)))
        else:
            readings.append(ReadingRow(key, at, value))
    return count


def _number(sent: Any) -> float | None:
    if isinstance(sent, bool):
        return 1.0 if sent else 0.0
    return read_number(sent, ".")


def _fault(key: str, text: Any, at: int | None, number: float | None) -> tuple[str, str]:
    if text is None:
        return "phenomenonTime", "missing_field"
    if at is None:
        return "phenomenonTime", "bad_date"
    if not key:
        return "Datastream", "missing_field"
    return ("result", "bad_number") if number is None else ("phenomenonTime", "future_date")


def _refused(key: str, observed: Observed, number: int, fault: tuple[str, str]) -> Reject:
    """The reject of one observation, named by its datastream and time, for most servers give ids nobody knows; else by its place."""
    field, reason = fault
    sent = observed.time if field == "phenomenonTime" else observed.result
    name = f"datastream {key or '?'} {told(observed.time) if observed.time is not None else observed.key or f'entry {number}'}"
    payload = {"Datastream": key, "phenomenonTime": told(observed.time), "result": told(observed.result)}
    return Reject(name.strip()[:200], field, reason, "" if sent is None else told(sent), payload)
