"""Citizens' reports of the demo: columns of local seconds per day of filing, and their Open311 GeoReport v2 objects."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from data_sources.demo.catalogue import Catalogue
from data_sources.demo.episodes import Array, storm_level
from data_sources.demo.geography import geography
from data_sources.demo.handling import BURST_OFFICE, RETURNED_SHARE, TWIN_SHARE, in_bursts, more_time, ratings
from data_sources.demo.noise import hashed
from data_sources.demo.stations import points_in
from data_sources.demo.vocabulary import STREETS
from data_sources.demo.workdays import DAY_S, ZONE_S, Floats, Ints

NEVER = np.int64(1) << np.int64(60)
WEEK_TOTAL = 434.0
STORM_RATE = 18.0            # extra reports an hour at storm level 1
WEEKDAY_SHARE = (1.12, 1.05, 1.0, 1.0, 1.03, 0.92, 0.88)
HOT_SPOTS = 14
HOT_SHARE = 0.42
POOL = 150
TWIN_DEGREES = 0.00015     # what a telephone takes its place to be: some 15 m
BAD_SHARE = 0.003
STRAY_AGENCY = "Công ty cổ phần Môi trường đô thị An Hải"
DETAIL = ("MOI", "TIEP_NHAN", "DANG_XU_LY", "DA_XU_LY", "TU_CHOI", "MO_LAI")
RATINGS = (None, "KHONG_HAI_LONG", "CHAP_NHAN", "HAI_LONG")
NOTES = {
    3: "Đã xử lý, kết quả gửi người phản ánh", 4: "Từ chối: trùng hoặc không đủ thông tin",
    5: "Mở lại theo đề nghị của người gửi",
}


@dataclass(frozen=True)
class Reports:
    """Columns of equal length; times in local seconds, NEVER = not (yet) so; `due` NEVER = no limit given."""

    day: Ints
    sequence: Ints
    category: Ints
    commune: Ints
    lon: Floats
    lat: Floats
    token: Ints
    sent: Ints
    accepted: Ints
    assigned: Ints
    closed: Ints
    reopened: Ints
    closed_again: Ints
    due: Ints
    is_refused: Array
    rated: Ints
    rating: Ints  # 0 = never rated
    extended: Ints
    due_again: Ints  # the due date after more time was given
    is_returned: Array  # sent back once, when it was assigned
    is_twin: Array  # a duplicate of another, seen when it was accepted

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: Array) -> Reports:
        """The same columns at these rows."""
        return Reports(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


EVENTS = ("sent", "accepted", "assigned", "closed", "reopened", "closed_again", "rated", "extended")


def join(blocks: list[Reports]) -> Reports:
    """Blocks one after the other."""
    return Reports(**{f.name: np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(Reports)})


def updated_at(reports: Reports, until: int) -> Ints:
    """Time of the latest change of each report at or before `until`; -1 = not sent yet."""
    latest = np.full(len(reports), -1, np.int64)
    for name in EVENTS:
        at = getattr(reports, name)
        latest = np.maximum(latest, np.where(at <= until, at, -1))
    return latest


def day_block(day: int, catalogue: Catalogue, birth: float, seed: int, scale: float) -> Reports:
    """All reports sent on one local day, in time order, with their whole future."""
    rng = np.random.default_rng((seed, 3, day))
    sent, stormy = _sending_times(day, birth, seed, scale, rng)
    count = len(sent)
    category = _categories(catalogue, stormy, rng)
    commune, lon, lat = _places(category, stormy, rng)
    is_twin, category, commune, lon, lat = _twins(category, commune, lon, lat, np.random.default_rng((seed, 37, day)))
    limit = np.array([c.limit_days for c in catalogue.categories])[category]
    took = rng.lognormal(np.where(stormy, -0.45, -0.75), 0.85, count) * limit * DAY_S
    refused = rng.random(count) < 0.035
    accepted = sent + (rng.lognormal(0.0, 1.0, count) * 1800).astype(np.int64)
    closed = np.maximum(accepted + 600, sent + (took + 1200).astype(np.int64))
    closed = np.where(refused, accepted + 1800, _office_hours(closed))
    closed = np.where((rng.random(count) < 0.02) & ~refused, NEVER, closed)
    own = np.random.default_rng((seed, 31, day))
    office = np.array([c.handler == BURST_OFFICE for c in catalogue.categories])[category]
    closed, at_a_stroke = in_bursts(closed, own.integers(0, 1 << 30, count), office & ~refused)
    again = (rng.random(count) < 0.028) & (closed < NEVER) & ~refused
    reopened = np.where(again, closed + (rng.uniform(0.2, 3, count) * DAY_S).astype(np.int64), NEVER)
    closed_again = np.where(again, _office_hours(reopened + (rng.uniform(0.5, 4, count) * DAY_S).astype(np.int64)), NEVER)
    token = rng.integers(0, 1 << 62, count, dtype=np.int64)
    due = np.where(rng.random(count) < 0.04, NEVER, sent + (limit * DAY_S).astype(np.int64))
    extended, due_again = more_time(sent, due, closed, limit, own)
    ended = np.where(refused, NEVER, np.where(again, closed_again, closed))
    rated, rating = ratings(ended, again | at_a_stroke | (ended > due_again), own)
    return Reports(
        day=np.full(count, day, np.int64), sequence=np.arange(1, count + 1), category=category, commune=commune, lon=lon, lat=lat,
        token=token, sent=sent, accepted=accepted, assigned=np.where(refused, NEVER, np.minimum(accepted + 3600, closed - 60)),
        closed=closed, reopened=reopened, closed_again=closed_again, due=due, is_refused=refused, rated=rated, rating=rating,
        extended=extended, due_again=due_again, is_returned=(own.random(count) < RETURNED_SHARE) & ~refused,
        is_twin=is_twin,
    )


def _sending_times(day: int, birth: float, seed: int, scale: float, rng: np.random.Generator) -> tuple[Ints, Array]:
    """Local seconds, sorted, and which of them a storm caused. A day's ordinary number varies by a tenth."""
    wave = 0.9 + 0.2 * float(hashed(seed + 21, np.array(day)))
    ordinary = _dither(WEEK_TOTAL * scale / 7 * WEEKDAY_SHARE[(day + 3) % 7] * wave, rng)
    morning, evening = rng.normal(9.2, 2.3, ordinary), rng.normal(17.5, 3.0, ordinary)
    hour = np.clip(np.where(rng.random(ordinary) < 0.55, morning, evening), 0, 23.99)
    hours = np.arange(24) + day * 24
    extra = storm_level(hours - ZONE_S / 3600, birth) * STORM_RATE * scale
    each = np.array([_dither(float(x), rng) for x in extra])
    wet = np.repeat(hours * 3600, each) + rng.integers(0, 3600, int(each.sum()))
    sent = np.concatenate([day * DAY_S + (hour * 3600).astype(np.int64), wet])
    order = np.argsort(sent, kind="stable")
    return sent[order], np.repeat([False, True], [ordinary, len(wet)])[order]


def _dither(expected: float, rng: np.random.Generator) -> int:
    return int(expected + rng.random())


def _categories(catalogue: Catalogue, stormy: Array, rng: np.random.Generator) -> Ints:
    weights = np.array([c.weight for c in catalogue.categories])
    storm = weights * np.array([max(c.storm_factor - 1, 0) for c in catalogue.categories])
    calm_draw = rng.choice(len(weights), len(stormy), p=weights / weights.sum())
    storm_draw = rng.choice(len(weights), len(stormy), p=storm / storm.sum())
    return np.where(stormy, storm_draw, calm_draw).astype(np.int64)


@lru_cache(maxsize=1)
def _pools() -> tuple[Floats, Floats, Ints, Floats]:
    """Points in every commune (communes, POOL, 2), share of communes in reports, hot spots' communes and points."""
    rng = np.random.default_rng(311)
    communes = geography().communes
    pools = np.stack([points_in(area, POOL, rng) for area in communes])
    weights = rng.lognormal(0, 0.5, len(communes)) * np.array([3.2 if area.is_urban else 1.0 for area in communes])
    urban = np.flatnonzero([area.is_urban for area in communes])
    spots = rng.choice(urban, HOT_SPOTS)
    return pools, weights / weights.sum(), spots, pools[spots, rng.integers(0, POOL, HOT_SPOTS)]


def _places(category: Ints, stormy: Array, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Anywhere in a commune, or within some hundred metres of a hot spot (each draws some categories more than others)."""
    pools, shares, spot_commune, spot_point = _pools()
    count = len(category)
    commune = rng.choice(len(shares), count, p=shares)
    point = pools[commune, rng.integers(0, POOL, count)] + rng.normal(0, 0.0004, (count, 2))
    ranks = 1 / np.arange(1, HOT_SPOTS + 1) ** 0.8
    spot = (rng.choice(HOT_SPOTS, count, p=ranks / ranks.sum()) + category * 3) % HOT_SPOTS
    hot = rng.random(count) < np.where(stormy, 0.62, HOT_SHARE)
    near = spot_point[spot] + rng.normal(0, 0.0013, (count, 2))
    chosen = np.where(hot[:, None], near, point)
    return np.where(hot, spot_commune[spot], commune).astype(np.int64), chosen[:, 0].round(6), chosen[:, 1].round(6)


def _twins(category: Ints, commune: Ints, lon: Floats, lat: Floats, rng: np.random.Generator) -> tuple[Array, Ints, Ints, Floats, Floats]:
    """Which reports are of the same thing as the one sent before them, and everything as those have it: its kind and, by some metres,
    its place."""
    count = len(category)
    is_twin = rng.random(count) < TWIN_SHARE
    is_twin[:1] = False
    first = np.maximum.accumulate(np.where(is_twin, 0, np.arange(count)))  # a twin of a twin is one of the first, too
    away = np.where(is_twin, 1.0, 0.0) * rng.normal(0, TWIN_DEGREES, (2, count))
    return is_twin, category[first], commune[first], (lon[first] + away[0]).round(6), (lat[first] + away[1]).round(6)


def _office_hours(at: Ints) -> Ints:
    """Move the night to the next morning: nobody closes a report at 3 o'clock."""
    clock = at % DAY_S
    return np.where(clock < 7 * 3600, at - clock + 7 * 3600 + clock // 6, np.where(clock > 21 * 3600, at - clock + 31 * 3600, at))


def report_objects(reports: Reports, until: int, catalogue: Catalogue, *, extensions: bool = True) -> list[dict[str, Any]]:
    """GeoReport v2 service requests as known at `until` (local seconds); about 0.3 % broken on purpose."""
    updated = updated_at(reports, until)
    stage = stages(reports, until)
    bad = hashed(33, reports.token) < BAD_SHARE
    made = []
    for row in range(len(reports)):
        wire = _object(reports, row, int(updated[row]), int(stage[row]), catalogue)
        if not extensions:
            wire.pop("extended_attributes")
        made.append(spoiled(wire, int(reports.token[row]) >> 5) if bad[row] else wire)
    return made


def stages(reports: Reports, until: int) -> Ints:
    """Index into DETAIL as known at `until`."""
    stage = np.where(reports.accepted <= until, 1, 0)
    stage = np.where(reports.assigned <= until, 2, stage)
    stage = np.where(reports.closed <= until, np.where(reports.is_refused, 4, 3), stage)
    stage = np.where(reports.reopened <= until, 5, stage)
    return np.where(reports.closed_again <= until, 3, stage)


def report_id(day: int, sequence: int) -> str:
    """PA-yyMMdd-NNNN."""
    date = str(np.datetime64(int(day), "D")).replace("-", "")
    return f"PA-{date[2:]}-{sequence:04d}"


def w3c(local: int) -> str | None:
    """Local seconds as W3C time with the province's offset; None for NEVER."""
    if local >= NEVER:
        return None
    return f"{np.datetime64(int(local), 's')}+07:00"


def _object(reports: Reports, row: int, updated: int, stage: int, catalogue: Catalogue) -> dict[str, Any]:
    category = catalogue.categories[reports.category[row]]
    token = int(reports.token[row])
    area = geography().communes[reports.commune[row]]
    address = f"Số {token % 190 + 1} đường {STREETS[token % 12]}, {area.full_name}"
    text = category.texts[token // 7 % len(category.texts)]
    if token % 19 == 0:      # people do write their number into the text
        text += f". Liên hệ 0900{token // 13 % 1_000_000:06d}"
    handler = {a.code: a.name for a in catalogue.agencies}.get(category.handler, f"UBND {area.full_name}")
    closed = stage in (3, 4)
    return {
        "service_request_id": report_id(int(reports.day[row]), int(reports.sequence[row])),
        "status": "closed" if closed else "open",
        "status_notes": NOTES.get(stage, ""), "service_name": category.name, "service_code": category.code,
        "description": text, "agency_responsible": STRAY_AGENCY if category.code == "MT01" and token % 11 == 0 else handler,
        "service_notice": "", "requested_datetime": w3c(int(reports.sent[row])), "updated_datetime": w3c(updated),
        "expected_datetime": w3c(_due_at(reports, row, updated)), "address": address, "address_id": "", "zipcode": "",
        "lat": float(reports.lat[row]), "long": float(reports.lon[row]), "media_url": "",
        "extended_attributes": {
            "detail_status": DETAIL[stage], "channel": ("app", "app", "app", "zalo", "hotline", "web")[token % 6],
            "group": category.group, "closed_datetime": w3c(_closed_at(reports, row, updated)) if closed else None,
            **_handling(reports, row, updated),
        },
    }


def _due_at(reports: Reports, row: int, updated: int) -> int:
    return int(reports.due_again[row] if reports.extended[row] <= updated else reports.due[row])


def _handling(reports: Reports, row: int, updated: int) -> dict[str, Any]:
    """What became of it besides being closed, as known at its latest change."""
    is_reopened, is_rated = reports.reopened[row] <= updated, reports.rated[row] <= updated
    return {
        "duplicate": bool(reports.is_twin[row] and reports.accepted[row] <= updated),
        "rating": RATINGS[int(reports.rating[row])] if is_rated else None, "reopened_count": int(is_reopened),
        "reopened_datetime": w3c(int(reports.reopened[row])) if is_reopened else None,
        "returned_count": int(reports.is_returned[row] and reports.assigned[row] <= updated),
        "extension_count": int(reports.extended[row] <= updated),
    }


def _closed_at(reports: Reports, row: int, updated: int) -> int:
    again = int(reports.closed_again[row])
    return again if again <= updated else int(reports.closed[row])


def spoiled(wire: dict[str, Any], kind: int) -> dict[str, Any]:
    """One of six ways feedback systems break a row."""
    damage: tuple[dict[str, Any], ...] = (
        {"requested_datetime": "hôm qua"}, {"service_request_id": ""}, {"status": "pending?"}, {"lat": 920.5, "long": 7.1},
        {"requested_datetime": None}, {"service_request_id": None},
    )
    return {**wire, **damage[kind % len(damage)]}
