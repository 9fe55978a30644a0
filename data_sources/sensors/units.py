"""Unit conversions of sensor values: a closed table, exact factors, nothing guessed.

A unit not listed for its property stays as sent, and the limits of the property are then not applied to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MOLAR_VOLUME = 24.45  # litres of one mole of gas at 25 °C and 1 atm, the reference state of QCVN 05:2023/BTNMT


@dataclass(frozen=True)
class Conversion:
    """stored = sent * scale + offset; `only` limits it to one property (gases differ in weight)."""

    sent: str
    stored: str
    scale: float
    offset: float = 0.0
    only: str = ""


CONVERSIONS = (
    Conversion("mg/m3", "ug/m3", 1000.0),
    Conversion("ng/m3", "ug/m3", 0.001),
    Conversion("ppb", "ug/m3", 48.00 / MOLAR_VOLUME, only="o3"),
    Conversion("ppm", "ug/m3", 48_000.0 / MOLAR_VOLUME, only="o3"),
    Conversion("ppb", "ug/m3", 46.006 / MOLAR_VOLUME, only="no2"),
    Conversion("ppm", "ug/m3", 46_006.0 / MOLAR_VOLUME, only="no2"),
    Conversion("ppb", "ug/m3", 30.006 / MOLAR_VOLUME, only="no"),
    Conversion("ppm", "ug/m3", 30_006.0 / MOLAR_VOLUME, only="no"),
    Conversion("ppb", "ug/m3", 64.066 / MOLAR_VOLUME, only="so2"),
    Conversion("ppm", "ug/m3", 64_066.0 / MOLAR_VOLUME, only="so2"),
    Conversion("ppb", "ug/m3", 28.010 / MOLAR_VOLUME, only="co"),
    Conversion("ppm", "ug/m3", 28_010.0 / MOLAR_VOLUME, only="co"),
    Conversion("f", "c", 5 / 9, -160 / 9),
    Conversion("k", "c", 1.0, -273.15),
    Conversion("mph", "km/h", 1.609344),
    Conversion("m/s", "km/h", 3.6),
    Conversion("km/h", "m/s", 1 / 3.6),
    Conversion("mph", "m/s", 0.44704),
    Conversion("kn", "m/s", 1852 / 3600),
    Conversion("ft", "m", 0.3048),
    Conversion("cm", "m", 0.01),
    Conversion("mm", "m", 0.001),
    Conversion("m", "cm", 100.0),
    Conversion("mm", "cm", 0.1),
    Conversion("in", "mm", 25.4),
    Conversion("cm", "mm", 10.0),
    Conversion("ft3/s", "m3/s", 0.028316846592),
    Conversion("l/s", "m3/s", 0.001),
    Conversion("m3/h", "m3/s", 1 / 3600),
    Conversion("m3/s", "l/s", 1000.0),
    Conversion("m3/h", "l/s", 1 / 3.6),
    Conversion("pa", "hpa", 0.01),
    Conversion("kpa", "hpa", 10.0),
    Conversion("mmhg", "hpa", 1.33322387415),
    Conversion("kpa", "bar", 0.01),
    Conversion("mpa", "bar", 10.0),
    Conversion("ms/cm", "us/cm", 1000.0),
    Conversion("ug/l", "mg/l", 0.001),
)
SYNONYMS = {
    "celsius": "c", "degc": "c", "degreecelsius": "c", "degreescelsius": "c", "fahrenheit": "f", "degf": "f",
    "kelvin": "k", "mi/h": "mph", "kph": "km/h", "kmh": "km/h", "mps": "m/s", "knot": "kn", "knots": "kn", "kt": "kn",
    "feet": "ft", "foot": "ft", "inch": "in", "metre": "m", "meter": "m", "cfs": "ft3/s", "m3s-1": "m3/s",
    "ugm-3": "ug/m3", "ug/nm3": "ug/m3", "mg/nm3": "mg/m3", "mbar": "hpa", "percent": "%", "lps": "l/s",
    "microgramspercubicmeter": "ug/m3", "deg": "", "degree": "",
}
_LETTERS = str.maketrans({"µ": "u", "μ": "u", "³": "3", "²": "2", "°": "", "º": "", "^": "", "*": "", " ": ""})


@lru_cache(maxsize=1024)
def plain_unit(unit: str) -> str:
    """The unit in one spelling for comparing: "μg/m^3", "ug/m3" and "µg/m³" are the same."""
    plain = unit.strip().translate(_LETTERS).casefold()
    return SYNONYMS.get(plain, plain)


@lru_cache(maxsize=4096)
def conversion(key: str, sent: str, stored: str) -> tuple[float, float] | None:
    """(scale, offset) from the unit sent to the unit stored for this property, None when it is not known.

    No unit sent means the stored one.
    """
    one, other = plain_unit(sent), plain_unit(stored)
    if not sent.strip() or one == other:
        return 1.0, 0.0
    for row in CONVERSIONS:
        if (row.sent, row.stored) == (one, other) and row.only in ("", key):
            return row.scale, row.offset
    return None
