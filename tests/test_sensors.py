"""Sensors: the SensorThings client against a real server, readings and their refusal, CSV long and wide, real sets."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, FeedConfig, load_config
from data_sources.feed import FeedError, RawBatch
from data_sources.sensors.client_sensorthings import read
from data_sources.sensors.observed import instant_of
from data_sources.sensors.parse import parse_sensorthings
from data_sources.sensors.properties import is_known, known_properties, property_key
from data_sources.sensors.table import parse_table, read_table
from data_sources.sensors.units import CONVERSIONS, conversion, plain_unit
from store.rows import Parsed, ReadingRow
from tests.scripted_http import Reply, Request, scripted_server
from tests.servers import ROOT

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
THINGS = json.loads((ROOT / "tests" / "sample" / "sensorthings_things.json").read_text(encoding="utf-8"))
STREAM = {"@iot.id": 11, "ObservedProperty": {"name": "PM2.5"}, "unitOfMeasurement": {"symbol": "µg/m³"}}


def feed(url: str = "", **settings: Any) -> FeedConfig:
    quick = {"retry_wait_s": 0.01, "retries": 1, "page_size": 3, **settings.pop("options", {})}
    return FeedConfig("air", "sensors", "sensorthings", url=url, options=quick, **settings)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


def hours_ago(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Station:
    """A SensorThings 1.1 server over the sample Things: $filter on time, opaque next links, dataArray when it knows it."""

    def __init__(self, observations: list[dict[str, Any]], *, knows_arrays: bool = True) -> None:
        self.observations, self.knows_arrays = observations, knows_arrays
        self.tokens: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, asked: Request) -> Reply:
        if asked.path.endswith("/Things"):
            return Reply(THINGS)
        is_array = asked.query.get("$resultFormat") == "dataArray" or "array=1" in asked.raw_query
        if is_array and not self.knows_arrays:
            return Reply({"message": "resultFormat is not supported"}, 400)
        if token := asked.query.get("token"):
            return self._page(asked, self.tokens.pop(token), is_array)
        words = asked.query["$filter"].split(" ")
        low, high = words[2], words[6] if len(words) > 3 else "9999"
        found = [one for one in self.observations if low <= one["phenomenonTime"] < high]
        if "/Datastreams(" in asked.path:
            own = asked.path.split("Datastreams(")[1].split(")/")[0].strip("'").replace("''", "'")
            found = [one for one in found if str(one["Datastream"]["@iot.id"]) == own]
        return self._page(asked, sorted(found, key=lambda one: str(one["phenomenonTime"])), is_array)

    def _page(self, asked: Request, found: list[dict[str, Any]], is_array: bool) -> Reply:
        page, rest = found[:3], found[3:]
        body: dict[str, Any] = {"value": self._arrays(page) if is_array else page}
        if rest:
            token = f"t{len(rest)}%2F=+"
            self.tokens[unquote(token).replace("+", " ")] = rest
            body["@iot.nextLink"] = f"http://{asked.headers['host']}{asked.path}?{'array=1&' * is_array}token={token}"
        return Reply(body)

    @staticmethod
    def _arrays(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own: dict[str, list[Any]] = {}
        for one in page:
            own.setdefault(str(one["Datastream"]["@iot.id"]), []).append([one["phenomenonTime"], one["result"]])
        return [
            {
                "Datastream@iot.navigationLink": f"http://x/v1.1/Datastreams({key})",
                "components": ["phenomenonTime", "result"], "dataArray@iot.count": len(rows), "dataArray": rows,
            }
            for key, rows in own.items()
        ]


def observation(hours: float, result: Any, stream: Any = 11) -> dict[str, Any]:
    return {"phenomenonTime": hours_ago(hours), "result": result, "Datastream": {"@iot.id": stream}}


def read_all(manifest: FeedConfig, cursor: str | None = None) -> tuple[list[RawBatch], list[ReadingRow]]:
    batches = list(read(manifest, cursor, NOW))
    found = [parse_sensorthings(manifest, batch, NOW) for batch in batches]
    assert [reject for one in found for reject in one.rejects] == []
    return batches, [reading for one in found for reading in one.readings]


# --- client -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knows_arrays", [True, False])
@pytest.mark.parametrize("way", ["collection", "per_datastream"])
def test_every_observation_arrives_once_whatever_the_form(knows_arrays: bool, way: str) -> None:
    station = Station(
        [observation(n, float(n), stream) for n in range(1, 41) for stream in (11, 12)], knows_arrays=knows_arrays
    )
    with scripted_server(station) as (url, _):
        _, readings = read_all(feed(f"{url}/v1.1", options={"observations": way}))
    got = sorted((row.datastream_id, row.observed_at) for row in readings)
    assert got == sorted((str(key), at(hours_ago(n))) for n in range(1, 41) for key in (11, 12))
    assert {row.value for row in readings if row.datastream_id == "12"} == {n * 1000.0 for n in range(1, 41)}  # mg -> µg


def test_next_links_are_followed_as_sent() -> None:
    station = Station([observation(n / 10, 1.0) for n in range(1, 11)])
    with scripted_server(station) as (url, asked):
        _, readings = read_all(feed(url))
    assert len(readings) == 10
    followed = [one.raw_query for one in asked if "token=" in one.raw_query]
    assert followed == ["array=1&token=t7%2F=+", "array=1&token=t4%2F=+", "array=1&token=t1%2F=+"]


def test_cursor_is_the_newest_time_and_is_read_again_with_the_lag() -> None:
    station = Station([observation(n, 1.0) for n in (1, 2, 3, 30)])
    with scripted_server(station) as (url, asked):
        batches, _ = read_all(feed(url))
        assert batches[-1].cursor == "2026-11-22T02:00:00+00:00"
        _, again = read_all(feed(url, lag_s=3600), batches[-1].cursor)
    assert sorted(row.observed_at for row in again) == [at(hours_ago(2)), at(hours_ago(1))]
    assert "ge 2026-11-22T01:00:00.000000Z" in asked[-1].query["$filter"]


def test_windows_keep_their_cursor_until_their_last_page() -> None:
    station = Station([observation(n, 1.0) for n in range(1, 9)])
    with scripted_server(station) as (url, _):
        cursors = [b.cursor for b in read(feed(url, options={"window_h": 1000}), None, NOW) if b.kind == "observations"]
    assert cursors == [None, None, "2026-11-22T02:00:00+00:00"]


def test_years_without_observations_cost_few_questions() -> None:
    with scripted_server(Station([])) as (url, asked):
        list(read(feed(url, start="2016-01-01T00:00:00Z"), None, NOW))
    assert len(asked) < 30


def test_a_thing_with_paged_datastreams_is_completed() -> None:
    def script(asked: Request) -> Reply:
        if asked.path == "/Things":
            more = {"@iot.id": 1, "name": "a", "Datastreams": [STREAM], "Datastreams@iot.nextLink": "/more?x=1"}
            return Reply({"value": [more]})
        return Reply({"value": [{**STREAM, "@iot.id": 99}]} if asked.path == "/more" else {"value": []})

    with scripted_server(script) as (url, _):
        things = next(read(feed(url), None, NOW))
    assert [stream["@iot.id"] for stream in things.items[0]["Datastreams"]] == [11, 99]


def test_a_next_link_to_another_host_is_not_followed() -> None:
    with scripted_server(lambda asked: Reply({"value": []})) as (other, seen), scripted_server(
        lambda asked: Reply({"value": [], "@iot.nextLink": f"{other}/Things?$skip=1"})
    ) as (url, _), pytest.raises(FeedError, match="another origin"):
        list(read(feed(url), None, NOW))
    assert seen == []


def test_next_links_that_lead_in_a_circle_end() -> None:
    with scripted_server(lambda asked: Reply({"value": [], "@iot.nextLink": "/Things?page=again"})) as (
        url, asked
    ), pytest.raises(FeedError, match=r"feed air: .* in a circle"):
        list(read(feed(url), None, NOW))
    assert len(asked) == 2


def test_429_is_waited_out() -> None:
    replies = [Reply(b"", 429, {"retry-after": "0"})]
    station = Station([observation(1, 5.0)])
    with scripted_server(lambda asked: replies.pop() if replies else station(asked)) as (url, _):
        assert len(read_all(feed(url))[1]) == 1


def test_an_answer_that_is_no_collection_names_the_remedy() -> None:
    with scripted_server(lambda asked: Reply({"hello": 1})) as (url, _), pytest.raises(
        FeedError, match="no SensorThings collection; check the feed's url"
    ):
        list(read(feed(url), None, NOW))


def test_a_text_id_is_quoted_in_the_address() -> None:
    with scripted_server(Station([observation(1, 3.0, "o'k")])) as (url, _):
        _, readings = read_all(feed(url, options={"observations": "per_datastream"}))
    assert [(row.datastream_id, round(row.value, 4)) for row in readings] == [("o'k", 0.9144)]  # feet -> metres


def test_user_and_password_are_sent_and_never_shown() -> None:
    with scripted_server(lambda asked: Reply({"message": "who are you"}, 401)) as (url, asked), pytest.raises(
        FeedError
    ) as fault:
        list(read(feed(url, username="u", password="s3cret"), None, NOW))
    assert asked[0].headers["authorization"].startswith("Basic ")
    assert "who are you" in str(fault.value) and "s3cret" not in str(fault.value) + repr(feed(password="s3cret"))


# --- parse ------------------------------------------------------------------------------------------------


def things() -> Parsed:
    return parse_sensorthings(feed(), RawBatch(THINGS["value"], kind="things"), NOW)


def test_things_become_stations_with_a_point_and_a_kind() -> None:
    first, second = things().stations
    assert (first.source_id, first.name, first.kind, first.lon, first.lat) == ("1", "Trạm Cẩm Phả", "air", 107.3, 21.01)
    assert (second.source_id, second.kind, second.area) == ("gate-2", "water", "06685")
    assert second.lon is not None and 107.0 < second.lon < 107.2


def test_datastreams_get_the_short_key_and_the_stored_unit() -> None:
    rows = {row.source_id: (row.property, row.measure_unit) for row in things().datastreams}
    assert rows == {"11": ("pm25", "µg/m³"), "12": ("co", "µg/m³"), "o'k": ("level", "m"), "14": ("gio_giat", "Bf")}
    assert not is_known("gio_giat")


def test_codes_of_the_manifest_name_a_property() -> None:
    manifest = feed(fields={"property": {"from": "name", "lookup": {"Gió giật": "wind"}}})
    rows = parse_sensorthings(manifest, RawBatch(THINGS["value"], kind="things"), NOW).datastreams
    assert rows[-1].property == "wind"


def observed(*results: Any, stream: Any = None, time: Any = "2026-11-22T01:00:00Z") -> Parsed:
    block = {"Datastream": stream or STREAM, "value": [{"phenomenonTime": time, "result": r} for r in results]}
    return parse_sensorthings(feed(), RawBatch([block], kind="observations"), NOW)


def test_null_is_missing_and_never_zero() -> None:
    found = observed(None, "", 0, 12.5)
    assert [row.value for row in found.readings] == [0.0, 12.5]
    assert (found.item_count, found.rejects) == (4, ())


def test_a_number_in_text_is_a_number() -> None:
    assert [row.value for row in observed("12.5", " 7 ", True).readings] == [12.5, 7.0, 1.0]


@pytest.mark.parametrize(
    ("result", "time", "field", "reason"),
    [
        (-999, "2026-11-22T01:00:00Z", "result", "sentinel"),
        (-9999.0, "2026-11-22T01:00:00Z", "result", "sentinel"),
        (-3, "2026-11-22T01:00:00Z", "result", "out_of_range"),
        (4987.8, "2026-11-22T01:00:00Z", "result", "out_of_range"),
        (float("nan"), "2026-11-22T01:00:00Z", "result", "bad_number"),
        (float("inf"), "2026-11-22T01:00:00Z", "result", "bad_number"),
        ("hỏng", "2026-11-22T01:00:00Z", "result", "bad_number"),
        ({"a": 1}, "2026-11-22T01:00:00Z", "result", "bad_number"),
        (5, "2026-11-22T04:00:01Z", "phenomenonTime", "future_date"),
        (5, "hôm qua", "phenomenonTime", "bad_date"),
        (5, "2026-02-30T00:00:00Z", "phenomenonTime", "bad_date"),
        (5, None, "phenomenonTime", "missing_field"),
    ],
)
def test_an_impossible_observation_is_refused_by_field_and_reason(
    result: Any, time: Any, field: str, reason: str
) -> None:
    found = observed(result, time=time)
    assert [(one.field, one.reason) for one in found.rejects] == [(field, reason)]
    assert found.readings == () and found.rejects[0].item.startswith("datastream 11")


def test_a_clock_one_hour_ahead_is_still_believed() -> None:
    assert len(observed(5, time="2026-11-22T04:00:00Z").readings) == 1


def test_pushed_things_and_observations_are_told_apart() -> None:
    one = {"phenomenonTime": hours_ago(1), "result": 7, "Datastream": STREAM}
    found = parse_sensorthings(feed(), RawBatch([THINGS["value"][0], one, {"hello": 1}, 5]), NOW)
    assert [row.source_id for row in found.stations] == ["1"]
    assert [row.value for row in found.readings] == [7.0]
    assert [one.reason for one in found.rejects] == ["bad_row", "bad_row"] and found.item_count == 4


@pytest.mark.parametrize("value", [5, "text", {}, None, True])
def test_a_block_whose_value_is_no_list_is_refused(value: Any) -> None:
    found = parse_sensorthings(feed(), RawBatch([{"Datastream": STREAM, "value": value}], kind="observations"), NOW)
    assert [one.reason for one in found.rejects] == ["bad_row"]


def test_an_interval_stands_for_its_start() -> None:
    found = observed(5, time="2026-11-21T16:00:00Z/2026-11-21T17:00:00Z")
    assert found.readings[0].observed_at == at("2026-11-21T16:00:00+00:00")


def test_a_unit_nobody_knows_stays_and_is_not_judged() -> None:
    stream = {**STREAM, "unitOfMeasurement": {"symbol": "counts"}}
    assert [row.value for row in observed(5000, stream=stream).readings] == [5000.0]


@given(st.text(max_size=40) | st.none() | st.integers())
def test_any_time_is_an_instant_or_none(text: Any) -> None:
    assert isinstance(instant_of(text), int | None)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6,
)
PARTS = st.dictionaries(
    st.sampled_from(
        ("@iot.id", "name", "properties", "Locations", "Datastreams", "ObservedProperty", "unitOfMeasurement", "location",
         "phenomenonTime", "result", "Datastream", "value", "components", "dataArray")
    ),
    JSON_VALUES, max_size=6,
)


@given(st.sampled_from(["things", "observations"]), st.lists(JSON_VALUES | PARTS, max_size=4), PARTS, JSON_VALUES)
def test_garbage_becomes_rejects_and_never_an_exception(kind: str, items: list[Any], part: Any, inner: Any) -> None:
    block = {"Datastream": part, "value": [part, inner], "Locations": [{"location": part}], "@iot.id": 1}
    good = {"Datastream": STREAM, "value": [{"phenomenonTime": hours_ago(1), "result": 5}]}
    parse_sensorthings(feed(), RawBatch([block, *items]), NOW)
    found = parse_sensorthings(feed(), RawBatch([good, block, *items], kind=kind), NOW)
    assert kind == "things" or found.readings[0].value == 5.0
    assert len(found.readings) + len(found.rejects) <= max(found.item_count, len(found.rejects))


def test_a_hundred_thousand_readings_parse_in_a_second() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [(start + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(100_000)]
    rows = [[text, n % 500 / 10] for n, text in enumerate(times)]
    block = {"Datastream": STREAM, "components": ["phenomenonTime", "result"], "dataArray": rows}
    started = time.process_time()
    found = parse_sensorthings(feed(), RawBatch([block], kind="observations"), NOW)
    assert len(found.readings) == 100_000
    assert time.process_time() - started < 1.0


# --- properties and units ---------------------------------------------------------------------------------


def test_every_property_says_where_its_limits_come_from() -> None:
    for key, row in known_properties().items():
        assert row.minimum < row.maximum and row.source and row.names, key


def test_no_name_means_two_properties() -> None:
    names = Counter(property_key(name) + "|" + name for row in known_properties().values() for name in row.names)
    assert max(names.values()) == 1
    for key, row in known_properties().items():
        assert {property_key(name) for name in row.names} == {key}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("PM2.5", "pm25"), ("PM₂.₅", "pm25"), ("Nhiệt độ", "temp"), ("Mực nước", "level"), ("NO₂", "no2"),
        ("Độ ẩm đất", "soil_moisture"),
    ],
)
def test_names_of_feeds_become_short_keys(name: str, key: str) -> None:
    assert property_key(name) == key


@pytest.mark.parametrize(
    ("key", "sent", "stored", "value", "expected"),
    [
        ("co", "mg/m³", "µg/m³", 1.5, 1500.0), ("temp", "°F", "°C", 212.0, 100.0), ("speed", "mph", "km/h", 10.0, 16.09344),
        ("level", "ft", "m", 10.0, 3.048), ("o3", "ppb", "µg/m³", 50.0, 98.16), ("rain", "in", "mm", 1.0, 25.4),
    ],
)
def test_units_are_converted_exactly(key: str, sent: str, stored: str, value: float, expected: float) -> None:
    factors = conversion(key, sent, stored)
    assert factors is not None
    assert round(value * factors[0] + factors[1], 2) == round(expected, 2)


def test_ppm_of_a_gas_without_weight_is_not_guessed() -> None:
    assert conversion("pm25", "ppm", "µg/m³") is None


def test_conversion_rows_are_written_in_the_plain_spelling() -> None:
    assert [(row.sent, row.stored) for row in CONVERSIONS] == [
        (plain_unit(row.sent), plain_unit(row.stored)) for row in CONVERSIONS
    ]


# --- csv --------------------------------------------------------------------------------------------------

LONG = {
    "station_id": {"from": "st"}, "station_name": {"from": "name"}, "property": {"from": "what"},
    "measure_unit": {"from": "unit"}, "observed_at": {"from": "at"}, "value": {"from": "v"},
}


def table(rows: list[Any], **fields: Any) -> Parsed:
    manifest = FeedConfig("t", "sensors", "csv", zone="Asia/Ho_Chi_Minh", fields={**LONG, **fields})
    return parse_table(manifest, RawBatch(rows), NOW)


def line(**change: str) -> dict[str, str]:
    return {"st": "s1", "name": "A", "what": "PM10", "unit": "µg/m³", "at": "2026-11-21 10:00", "v": "20", **change}


def test_a_long_row_gives_station_datastream_and_reading() -> None:
    found = table([line(), line(at="2026-11-21 11:00", name="B")])
    assert [(row.source_id, row.name) for row in found.stations] == [("s1", "B")]
    assert [(row.source_id, row.property) for row in found.datastreams] == [("s1:pm10", "pm10")]
    assert [row.observed_at for row in found.readings] == [at("2026-11-21T10:00+07:00"), at("2026-11-21T11:00+07:00")]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"v": "-999"}, "value", "sentinel"), ({"v": "-1"}, "value", "out_of_range"), ({"v": "x"}, "value", "bad_number"),
        ({"at": "21/11"}, "observed_at", "bad_date"), ({"at": ""}, "observed_at", "missing_field"),
        ({"at": "2027-01-01 00:00"}, "observed_at", "future_date"), ({"st": ""}, "station_id", "missing_field"),
    ],
)
def test_a_bad_row_is_one_reject_with_its_reason(change: dict[str, str], field: str, reason: str) -> None:
    found = table([line(), line(**change)])
    assert [(one.item, one.field, one.reason) for one in found.rejects] == [("row 2", field, reason)]
    assert len(found.readings) == 1


def test_an_empty_cell_is_missing() -> None:
    found = table([line(v="")])
    assert (found.readings, found.rejects, found.item_count) == ((), (), 1)


def test_a_mapping_without_value_is_a_fault_of_the_city_file() -> None:
    manifest = FeedConfig("t", "sensors", "csv", fields={"station_id": {"from": "a"}})
    with pytest.raises(ConfigError, match=r"fields\.property is missing"):
        parse_table(manifest, RawBatch([]), NOW)


@given(st.lists(JSON_VALUES | st.dictionaries(st.sampled_from(("st", "what", "at", "v", "unit")), JSON_VALUES), max_size=5))
def test_garbage_rows_never_raise(rows: list[Any]) -> None:
    found = table([line(), *rows])
    assert found.item_count == len(rows) + 1 and found.readings[0].value == 20.0


# --- the real sets ----------------------------------------------------------------------------------------


def read_example(name: str, real_data: Path) -> list[Parsed]:
    config = load_config(ROOT / "examples" / name / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    (manifest,) = config.feeds
    return [parse_table(manifest, batch, NOW) for batch in read_table(manifest, None, NOW)]


def test_hanoi_station_names_lose_their_number_and_a_rename_keeps_the_id(real_data: Path) -> None:
    """One row of every station and name it had. What becomes of the whole file is told in tests/test_truths.py, once it has landed."""
    config = load_config(ROOT / "examples" / "hanoi" / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    (manifest,) = config.feeds
    rows = (row for batch in read_table(manifest, None, NOW) for row in batch.items)
    kept = {(row["location_id"], row["location"]): row for row in rows}
    names: dict[str, set[str]] = {}
    for row in kept.values():
        for station in parse_table(manifest, RawBatch([row]), NOW).stations:
            names.setdefault(station.source_id, set()).add(station.name)
    assert not [name for own in names.values() for name in own if name.rsplit("-", 1)[-1].isdigit() and "-" in name]
    assert len(names["2161292"]) >= 1 and len(names) == 28 <= len(kept)


def test_metr_la_columns_become_sensors_with_places(real_data: Path) -> None:
    found = read_example("metr_la", real_data)
    stations = {row.source_id: row for one in found for row in one.stations}
    readings = [row for one in found for row in one.readings]
    assert (len(stations), len(readings)) == (207, 207 * 2016)
    assert all(row.lon is not None and row.kind == "traffic" for row in stations.values())
    assert min(row.observed_at for row in readings) == at("2012-03-01T00:00:00-08:00")
    assert max(row.observed_at for row in readings) == at("2012-03-07T23:55:00-08:00")
    values = [row.value for row in readings]
    assert min(values) > 0 and max(values) <= 70 * 1.609344 + 1e-6


def test_open_meteo_columns_become_properties(real_data: Path) -> None:
    found = read_example("open_meteo", real_data)
    streams = {row.property: row.measure_unit for one in found for row in one.datastreams}
    assert streams == {"temp": "°C", "rh": "%", "rain": "mm", "wind": "m/s", "wind_dir": "°", "pressure": "hPa"}
    assert sum(len(one.readings) for one in found) == 6 * 28_200


def test_water_flow_crosses_the_clock_change_without_a_doubled_hour(real_data: Path) -> None:
    found = read_example("water_flow", real_data)
    times = [row.observed_at for one in found for row in one.readings]
    assert len(times) == len(set(times)) == 1268
