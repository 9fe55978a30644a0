"""Which values of one datastream may land: unit conversion, sentinels, what is possible, no time from the future."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from data_sources.instants import to_micros
from data_sources.sensors.properties import known_properties, sentinels
from data_sources.sensors.units import conversion

SKEW = timedelta(hours=1)  # a station's clock may be ahead by less than this
HUGE = 1e15  # of a property without limits: keeps infinity out


@dataclass(frozen=True)
class Gauge:
    """How the values of one datastream are read: stored = sent * scale + offset, within minimum .. maximum."""

    key: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    minimum: float = -HUGE
    maximum: float = HUGE


def gauge(key: str, sent_unit: str) -> Gauge:
    """The gauge for a property measured in `sent_unit`; of an unknown property or unit all numbers may land."""
    known = known_properties().get(key)
    if known is None:
        return Gauge(key, sent_unit)
    factors = conversion(key, sent_unit, known.unit)
    if factors is None:
        return Gauge(key, sent_unit)
    return Gauge(key, known.unit, *factors, known.minimum, known.maximum)


def latest_instant(now: datetime) -> int:
    """Microseconds since 1970 UTC after which a reading comes from a wrong clock."""
    return to_micros(now + SKEW)


def checked(read: Gauge) -> Callable[[float], tuple[float, str]]:
    """A function value as sent -> (value to store, reason to refuse it or "")."""
    scale, offset, minimum, maximum, coded = read.scale, read.offset, read.minimum, read.maximum, sentinels()

    def check(sent: float) -> tuple[float, str]:
        if sent in coded:
            return sent, "sentinel"
        value = sent * scale + offset
        if minimum <= value <= maximum:
            return value, ""
        return value, "out_of_range" if isfinite(value) else "bad_number"

    return check
