"""The city's configuration: one TOML file plus the environment, as frozen dataclasses. All faults are reported at once.

Knows no feed format and no vendor. Secrets come from the environment only (`env:NAME` values) and never show in repr.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.brief import BriefConfig, MailConfig, check_brief, parse_mail
from config.calendars import CalendarConfig, parse_calendars
from config.duplicates import check_duplicates
from config.limits import LimitConfig, WaterAlarm, parse_limits, parse_water_alarms
from config.targets import KpiChoice, Targets, parse_choices, parse_owners, parse_targets

ROLES = ("one_stop", "feedback", "sensors", "areas", "indicators")
PROTOCOLS = {
    "one_stop": ("portal", "csv"),
    "feedback": ("open311", "csv"),
    "sensors": ("sensorthings", "csv"),
    "areas": ("geojson",),
    "indicators": ("csv", "xlsx"),
}
LATE_RULES = ("late_instant", "late_day")


class ConfigError(ValueError):
    """The city file has faults; the message lists every one of them."""


@dataclass(frozen=True)
class WallConfig:
    """The room: farthest viewer in metres, screen diagonal in inches, theme, seconds per scene, report points' grid in metres."""

    distance_m: float = 5.0
    diagonal_in: float = 75.0
    theme: str = "dark"
    dwell_s: int = 30
    scenes: tuple[str, ...] = ("overview", "one_stop", "feedback", "environment")
    grid_m: int = 250


@dataclass(frozen=True)
class FeedConfig:
    """The manifest of one feed. Durations are seconds; paths are resolved against the city file.

    `fields` holds the mapping rows (see docs/feeds.md), `options` what one protocol alone needs (csv dialect, page size ...).
    `cadence_s` is the freshness contract: fresh <= 1x, late <= 2x, stale > 2x, dead > 5x. None = static data, never stale.
    """

    key: str
    role: str
    protocol: str
    title: str = ""
    owner: str = ""
    licence: str = ""
    path: str = ""
    url: str = ""
    zone: str = ""
    cadence_s: int | None = None
    schedule_s: int = 60
    start: str = ""
    lag_s: int = 0
    delivery: str = "increment"
    snapshot_min_share: float = 0.5
    version: str = "auto"
    supersedes: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    enabled: bool = True
    reject_limit: int = 100_000
    fields: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class WebConfig:
    """How the program is reached. `public_url` = the address people type, with https when TLS ends at a proxy.

    `proxies` = addresses whose X-Forwarded-For and X-Forwarded-Proto are believed; from others they are faults.
    """

    public_url: str = ""
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignInConfig:
    """Seconds: a session ends `session_s` after sign-in, or `idle_s` after it was last used; displays have times of their own.

    `attempts` = wrong passwords allowed per user name, and five times as many per address, within `window_s`.
    """

    session_s: int = 12 * 3600
    idle_s: int = 3600
    display_s: int = 365 * 86400
    display_idle_s: int = 30 * 86400
    attempts: int = 8
    window_s: int = 900


@dataclass(frozen=True)
class FeedbackConfig:
    """When closings count as made in bulk: one agency closes at least so many reports within so many minutes.

    Two reports may be of one thing within so many metres (those of a category in [duplicate_radii]) and so many days of each other.
    """

    bulk_closures: int = 20
    bulk_minutes: int = 10
    duplicate_radius_m: float = 100.0
    duplicate_days: int = 7


@dataclass(frozen=True)
class RetentionConfig:
    """Seconds after which rows go, per kind; None = kept for ever. Roll-ups and the audit trail are always kept."""

    rejects_s: int | None = 365 * 86400
    loads_s: int | None = 400 * 86400
    versions_s: int | None = None
    readings_s: int | None = None
    report_texts_s: int | None = None


@dataclass(frozen=True)
class Config:
    """Everything a city decides. `store_url` is SQLAlchemy's; `simulated` marks every screen.

    `as_of` (ISO date-time) freezes the city's clock: an archive is judged at the moment it was taken, and screens say so.
    """

    name: str
    name_en: str = ""
    timezone: str = "Asia/Ho_Chi_Minh"
    language: str = "vi"
    simulated: bool = False
    as_of: str = ""
    shift_to_now: bool = False
    store_url: str = ""
    late_rule: str = "late_instant"
    calendar: CalendarConfig = field(default_factory=CalendarConfig)
    agency_calendars: Mapping[str, CalendarConfig] = field(default_factory=dict)
    wall: WallConfig = WallConfig()
    web: WebConfig = WebConfig()
    sign_in: SignInConfig = SignInConfig()
    retention: RetentionConfig = RetentionConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    brief: BriefConfig = field(default_factory=BriefConfig)
    mail: MailConfig | None = None
    targets: Targets = field(default_factory=dict)
    kpi_owners: Mapping[str, str] = field(default_factory=dict)
    kpi_choices: Mapping[str, KpiChoice] = field(default_factory=dict)
    catalogue: Mapping[str, str] = field(default_factory=dict)
    report_limits: Mapping[str, float] = field(default_factory=dict)
    duplicate_radii: Mapping[str, float] = field(default_factory=dict)
    limits: tuple[LimitConfig, ...] = ()
    water_alarms: tuple[WaterAlarm, ...] = ()
    feeds: tuple[FeedConfig, ...] = ()
    base_dir: Path = Path(".")

    @property
    def tz(self) -> ZoneInfo:
        """The province's time zone."""
        return ZoneInfo(self.timezone)

    def clock(self, now: datetime) -> datetime:
        """The city's own now: the frozen instant of an archive, else `now`."""
        if not self.as_of or self.shift_to_now:
            return now
        frozen = datetime.fromisoformat(self.as_of)
        return frozen if frozen.tzinfo else frozen.replace(tzinfo=self.tz)

    def feed(self, key: str) -> FeedConfig:
        """The feed with this key; KeyError naming the known ones."""
        for feed in self.feeds:
            if feed.key == key:
                return feed
        raise KeyError(f"feed {key!r} is not in the city file; known: {', '.join(f.key for f in self.feeds) or 'none'}")


SECTIONS: Mapping[str, type] = {
    "calendar": CalendarConfig, "wall": WallConfig, "web": WebConfig, "sign_in": SignInConfig, "retention": RetentionConfig,
    "feedback": FeedbackConfig, "brief": BriefConfig,
}
ROWS = ("limits", "water_alarms")  # lists of tables of their own


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """Read a city file. Raises ConfigError with one line per fault, each naming section, field and remedy."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such city file") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return parse_config(raw, path.parent, environ)


def parse_config(raw: Mapping[str, Any], base_dir: Path, environ: Mapping[str, str]) -> Config:
    """The same from an already read table; paths are taken relative to `base_dir`."""
    faults: list[str] = []
    expanded = _expand(raw, environ, faults, "city file")
    city = _known(expanded.get("city", {}), Config, "city", faults, skip=(*SECTIONS, *ROWS, "feeds", "base_dir", "mail"))
    sections = {name: kind(**_known(expanded.get(name, {}), kind, name, faults)) for name, kind in SECTIONS.items()}
    zone = str(city.get("timezone") or "Asia/Ho_Chi_Minh")
    read = (_feed(table, number, base_dir, faults) for number, table in enumerate(expanded.get("feeds", []), 1))
    feeds = tuple(replace(feed, zone=feed.zone or zone) for feed in read)
    others = {"city", "feeds", "targets", "kpis", "catalogue", "report_limits", "duplicate_radii", "agency_calendars"}
    for section in expanded.keys() - {*others, *SECTIONS, *ROWS}:
        faults.append(f"[{section}]: unknown section")
    calendars = parse_calendars(expanded.get("agency_calendars", {}), sections["calendar"], zone, faults)
    city.update(
        agency_calendars=calendars,
        targets=parse_targets(expanded.get("targets", {}), faults),
        kpi_owners=parse_owners(expanded.get("kpis", {}), faults),
        kpi_choices=parse_choices(expanded.get("kpis", {}), faults),
        report_limits=expanded.get("report_limits", {}),
        duplicate_radii=expanded.get("duplicate_radii", {}),
        limits=parse_limits(expanded.get("limits", []), faults),
        water_alarms=parse_water_alarms(expanded.get("water_alarms", []), faults),
        catalogue={key: str((base_dir / value).resolve()) for key, value in expanded.get("catalogue", {}).items()},
    )
    city["store_url"] = environ.get("TOANCANH_STORE", city.get("store_url", ""))
    _check_city(city, feeds, faults)
    feedback = sections["feedback"]
    if any(number is not None and number < least for number, least in ((feedback.bulk_closures, 2), (feedback.bulk_minutes, 1))):
        faults.append("[feedback]: bulk_closures must be 2 or more, bulk_minutes 1 or more")
    check_duplicates(feedback.duplicate_radius_m, feedback.duplicate_days, city["duplicate_radii"], faults)
    check_brief(sections["brief"], environ, faults)
    mail = parse_mail(environ, faults)
    if faults:
        raise ConfigError("the city file has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
    return Config(**city, **sections, feeds=feeds, mail=mail, base_dir=base_dir)


def _feed(table: Mapping[str, Any], number: int, base_dir: Path, faults: list[str]) -> FeedConfig:
    where = f"feeds[{number}] ({table.get('key', 'no key')})"
    known = _known(table, FeedConfig, where, faults)
    for name in ("key", "role", "protocol"):
        if not known.get(name):
            faults.append(f"{where}: {name} is missing")
    role, protocol = str(known.get("role", "")), str(known.get("protocol", ""))
    if role and role not in ROLES:
        faults.append(f"{where}: role {role!r} is not one of {', '.join(ROLES)}")
    elif protocol and protocol not in PROTOCOLS.get(role, ()):
        faults.append(f"{where}: protocol {protocol!r} does not serve role {role!r}; one of {', '.join(PROTOCOLS.get(role, ()))}")
    if known.get("delivery", "increment") not in ("increment", "snapshot"):
        faults.append(f"{where}: delivery must be increment or snapshot")
    if not 0 <= float(known.get("snapshot_min_share") or 0) <= 1:
        faults.append(f"{where}: snapshot_min_share must be a share between 0 and 1")
    if int(known.get("reject_limit") or 1) < 1:
        faults.append(f"{where}: reject_limit must be 1 or more")
    if known.get("version", "auto") not in ("auto", "receipt", "event"):
        faults.append(f"{where}: version must be auto (source time when mapped), receipt or event")
    if known.get("path"):
        known["path"] = str((base_dir / known["path"]).resolve())
    if known.get("zone"):
        _check_zone(str(known["zone"]), f"{where}: zone", faults)
    return FeedConfig(**{"key": "", "role": "", "protocol": "", **known})


def _known(table: Any, kind: type, where: str, faults: list[str], skip: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        faults.append(f"[{where}]: must be a table")
        return {}
    names = {f.name: f for f in fields(kind) if f.name not in skip}
    for name in table.keys() - names.keys():
        faults.append(f"[{where}]: unknown setting {name!r}; known: {', '.join(sorted(names))}")
    return {name: _typed(table[name], names[name].type, f"[{where}] {name}", faults) for name in table.keys() & names.keys()}


def _typed(value: Any, kind: Any, where: str, faults: list[str]) -> Any:
    wanted = str(kind)
    if wanted.startswith("tuple"):
        return tuple(value) if isinstance(value, list) else _fault(faults, f"{where}: must be a list")
    checks = {"int": int, "float": (int, float), "str": str, "bool": bool, "int | None": int}
    expected = checks.get(wanted)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and wanted != "bool")):  # type: ignore[arg-type]
        if wanted.startswith("int") and isinstance(value, str) and (seconds := parse_duration(value)) is not None:
            return seconds
        return _fault(faults, f"{where}: {value!r} is not {wanted}" + (' or a duration like "15m"' if "int" in wanted else ""))
    return value


def _fault(faults: list[str], message: str) -> None:
    faults.append(message)


def parse_duration(text: str) -> int | None:
    """Seconds of "30s", "15m", "2h", "7d"; None when it is no duration."""
    match = re.fullmatch(r"(\d+)\s*([smhd])", text.strip())
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else None


def _check_city(city: Mapping[str, Any], feeds: tuple[FeedConfig, ...], faults: list[str]) -> None:
    if not city.get("name"):
        faults.append("[city] name is missing")
    _check_zone(str(city.get("timezone", "Asia/Ho_Chi_Minh")), "[city] timezone", faults)
    try:
        datetime.fromisoformat(city.get("as_of") or "2000-01-01")
    except (ValueError, TypeError):
        faults.append(f"[city] as_of: {city.get('as_of')!r} is no ISO date-time; write 2026-02-10T12:00:00+00:00")
    if city.get("language", "vi") not in ("vi", "en"):
        faults.append("[city] language must be vi or en")
    if city.get("late_rule", "late_instant") not in LATE_RULES:
        faults.append(f"[city] late_rule must be one of {', '.join(LATE_RULES)}")
    keys = [feed.key for feed in feeds]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        faults.append(f"feed key {key!r} is used twice; keys must differ")
    for feed in feeds:
        if any(feed.key in other.supersedes for other in feeds if other.key in (*feed.supersedes, feed.key)):
            faults.append(f"feed {feed.key!r}: supersedes runs in a circle; only one of two feeds can give way to the other")
    for key in keys:
        if key and not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key):
            faults.append(f"feed key {key!r}: use a-z, 0-9 and _ only, at most 40 characters")


def _check_zone(name: str, where: str, faults: list[str]) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(f"{where}: {name!r} is no time zone; use a name like Asia/Ho_Chi_Minh")


_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::-([^}]*))?\}")


def _expand(value: Any, environ: Mapping[str, str], faults: list[str], where: str) -> Any:
    """Replace ${NAME} and ${NAME:-default} in every text of the tree."""
    if isinstance(value, Mapping):
        return {key: _expand(inner, environ, faults, f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, environ, faults, where) for inner in value]
    if not isinstance(value, str):
        return value

    def substitute(match: re.Match[str]) -> str:
        default: str | None = match[2]
        found = environ.get(match[1], default)
        if found is None:
            faults.append(f"{where}: environment variable {match[1]} is not set")
        return found or ""

    return _VARIABLE.sub(substitute, value)


def city_path(environ: Mapping[str, str]) -> Path | None:
    """The city file named by TOANCANH_CITY, or None."""
    return Path(environ["TOANCANH_CITY"]) if environ.get("TOANCANH_CITY") else None


def read_environment() -> Mapping[str, str]:
    """The process environment; the only place that reads it."""
    return dict(os.environ)
