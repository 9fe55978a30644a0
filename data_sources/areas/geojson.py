"""Areas from GeoJSON (file, .gz or URL): client and parser, with validity, succession and polygons fit for display.

Options: level (commune), code_prefix (put before code and parent_code, to keep an old numbering apart),
valid_from and valid_to (yyyy-mm-dd, both inclusive), simplify_deg (0 = none), succession = {path, fields =
{old, new, is_default}, prefix}: a CSV file beside the feed's own that says what became of the old areas.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from config import ConfigError, FeedConfig
from data_sources.areas.polygons import BadGeometry, clean_polygon, geojson_of, point_inside, simplified
from data_sources.csv_file import csv_client
from data_sources.feed import FeedError, RawBatch
from data_sources.http_source import HttpSource
from data_sources.json_file import file_cursor, read_json
from data_sources.mapping import FeedMapping, Problem, mapping_of
from data_sources.options import HTTP_OPTIONS, NUMBER, check_options
from data_sources.rejects import not_a_table, rejects_of
from store.rows import AreaRow, Parsed, Reject

LEVELS = ("province", "district", "commune")
FEATURE_ID = "@id"  # the feature's own id, as a field a mapping may name
AREA_FIELDS: dict[str, Any] = {
    "code": {"first": ["code", FEATURE_ID, "id"], "required": True, "text_max": 100},
    "name": {"first": ["name", "ten", "NAME"], "required": True, "text_max": 200},
    "full_name": {"first": ["full_name", "fullName"], "text_max": 300},
    "name_en": {"first": ["name_en", "nameEn"], "text_max": 200},
    "parent_code": {"first": ["parent_code", "parentCode"], "text_max": 100},
    "level": {"from": "level"},
    "population": {"first": ["population", "dan_so"]},
}
OPTIONS: dict[str, tuple[type, ...]] = {
    **HTTP_OPTIONS, "level": (str,), "code_prefix": (str,), "valid_from": (str, date), "valid_to": (str, date),
    "simplify_deg": NUMBER, "succession": (dict,),
}
SUCCESSION_TARGETS = ("old", "new", "is_default")
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def read_geojson(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """One batch with all features, since neighbours are simplified together; none when nothing changed.

    Succession rows come as a last item {"succession": [rows]}. Raises FeedError, ConfigError.
    """
    check_options(manifest, OPTIONS)
    if manifest.path:
        seen = file_cursor(manifest)
        if seen is not None and seen == cursor:
            return
        document = read_json(manifest)
    else:
        with HttpSource(manifest) as source:
            document = source.get_json(manifest.url)
        seen = "sha:" + hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        if seen == cursor:
            return
    items = _features(manifest, document)
    if "succession" in manifest.options:
        items.append({"succession": _succession_rows(manifest, now)})
    yield RawBatch(items, seen, "features")


def _features(manifest: FeedConfig, document: Any) -> list[Any]:
    found = document
    if isinstance(found, Mapping):
        found = [found] if found.get("type") == "Feature" else found.get("features")
    if not isinstance(found, list):
        where = manifest.path or manifest.url
        raise FeedError(f"feed {manifest.key}: {where}: no GeoJSON FeatureCollection; check the path or url")
    return list(found)


def _succession_rows(manifest: FeedConfig, now: datetime) -> list[Any]:
    option = manifest.options["succession"]
    if not isinstance(option, Mapping) or not option.get("path") or not isinstance(option.get("fields"), Mapping):
        example = '{ path = "map.csv", fields = { old = { from = "a" }, new = { from = "b" } } }'
        raise ConfigError(f"feed {manifest.key}: options.succession must be {example}")
    path = str(Path(manifest.path).parent / option["path"])
    rows = csv_client(replace(manifest, path=path, options={}), None, now)
    return [item for batch in rows for item in batch.items]


def parse_geojson(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """AreaRows of the features, geometry valid, 2-D and counter-clockwise, lon/lat a point inside it."""
    mapping = mapping_of(
        replace(manifest, fields={**AREA_FIELDS, **manifest.fields}), tuple(AREA_FIELDS), needed=("code", "name"), of="area",
    )
    rejects: list[Reject] = []
    rows: dict[str, tuple[AreaRow, Any]] = {}
    succession: list[Any] = []
    for number, item in enumerate(batch.items, batch.offset):
        if "succession" in manifest.options and isinstance(item, Mapping) and isinstance(item.get("succession"), list):
            succession += item["succession"]
        elif isinstance(item, Mapping) and isinstance(item.get("properties") or {}, Mapping):
            _feature(manifest, mapping, item, number, rows, rejects)
        else:
            rejects.append(not_a_table(item, number))
    before = _predecessors(manifest, succession, rejects)
    tolerance = float(manifest.options.get("simplify_deg", 0))
    shapes = simplified([made for _, made in rows.values()], tolerance)
    areas = tuple(
        _drawn(replace(row, predecessors=before.get(row.code, ())), made)
        for (row, _), made in zip(rows.values(), shapes, strict=True)
    )
    return Parsed(areas=areas, rejects=tuple(rejects), item_count=len(batch.items) - bool(succession))


def _feature(
    manifest: FeedConfig, mapping: FeedMapping, feature: Mapping[str, Any], number: int,
    rows: dict[str, tuple[AreaRow, Any]], rejects: list[Reject],
) -> None:
    properties = {**(feature.get("properties") or {}), FEATURE_ID: feature.get("id")}
    values, problems = mapping.apply(properties, number)
    row = _row(manifest, values) if not problems else AreaRow("", "")
    if row.code in rows:
        problems = (Problem("code", "duplicate_key", row.code),)
    made = None
    if not problems:
        try:
            made = clean_polygon(feature.get("geometry"))
        except BadGeometry as fault:
            problems = (Problem("geometry", "bad_geometry", str(fault)[:200]),)
    if problems:
        name = str(values.get("code") or f"feature {number + 1}")
        rejects += rejects_of(problems, properties, name, mapping.sources, manifest.personal)
    else:
        rows[row.code] = (row, made)


def _row(manifest: FeedConfig, values: Mapping[str, Any]) -> AreaRow:
    options = manifest.options
    prefix = str(options.get("code_prefix", ""))
    level = values.get("level") if values.get("level") in LEVELS else options.get("level", "commune")
    if level not in LEVELS:
        raise ConfigError(f"feed {manifest.key}: options.level {level!r} is not one of {', '.join(LEVELS)}")
    parent = values.get("parent_code", "")
    return AreaRow(
        code=prefix + values["code"], name=values["name"], full_name=values.get("full_name", ""),
        name_en=values.get("name_en", ""), level=str(level), parent_code=prefix + parent if parent else "",
        valid_from_on=_day(manifest, "valid_from"), valid_to_on=_day(manifest, "valid_to"),
        population=_whole(values.get("population")),
    )


def _whole(given: Any) -> int | None:
    """A number of inhabitants; unknown when it is none."""
    written = str(given if given is not None else "").strip().removesuffix(".0")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else None


def _day(manifest: FeedConfig, name: str) -> int | None:
    """The day number of an option: TOML date or text yyyy-mm-dd. Raises ConfigError."""
    given = manifest.options.get(name)
    if given is None:
        return None
    try:
        return date.fromisoformat(str(given)).toordinal() - _EPOCH_DAY
    except ValueError as fault:
        raise ConfigError(f"feed {manifest.key}: options.{name} {given!r} is no date yyyy-mm-dd") from fault


def _drawn(row: AreaRow, made: Any) -> AreaRow:
    if made is None:
        return row
    lon, lat = point_inside(made)
    return replace(row, lon=lon, lat=lat, geometry=geojson_of(made))


def _predecessors(manifest: FeedConfig, rows: Sequence[Any], rejects: list[Reject]) -> dict[str, tuple[str, ...]]:
    """New code -> old codes. Where an old area was divided, only its main heir (is_default) counts as successor."""
    if not rows:
        return {}
    option = manifest.options["succession"]
    mapping = mapping_of(replace(manifest, fields=option["fields"]), SUCCESSION_TARGETS, needed=("old", "new"))
    own, old_prefix = str(manifest.options.get("code_prefix", "")), str(option.get("prefix", ""))
    found: dict[str, list[str]] = {}
    for number, item in enumerate(rows):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        values, problems = mapping.apply(item, number)
        if problems:
            rejects += rejects_of(problems, item, f"succession row {number + 1}", mapping.sources)
        elif values.get("is_default", True) and "old" in values and "new" in values:
            found.setdefault(own + values["new"], []).append(old_prefix + values["old"])
    return {code: tuple(dict.fromkeys(old)) for code, old in found.items()}
