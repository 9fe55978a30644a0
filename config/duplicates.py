"""What a city file may say of reports that may be of one thing: how far apart, how many days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEAST_M, MOST_M, MOST_DAYS = 1, 2_000, 31


def check_duplicates(radius_m: Any, days: Any, radii: Any, faults: list[str]) -> None:
    """Name every setting that is out of bounds: wider ones would make most reports of a city candidates of each other."""
    if not isinstance(radii, Mapping):
        faults.append("[duplicate_radii]: must be a table of category code = metres")
        radii = {}
    told = {"[feedback] duplicate_radius_m": radius_m, **{f"[duplicate_radii] {code}": metres for code, metres in radii.items()}}
    for name, metres in told.items():
        if not isinstance(metres, int | float) or isinstance(metres, bool) or not LEAST_M <= metres <= MOST_M:
            faults.append(f"{name}: {metres!r} is no distance of {LEAST_M} to {MOST_M} metres")
    if not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        faults.append(f"[feedback] duplicate_days: {days!r} is no number of 1 to {MOST_DAYS} days")
