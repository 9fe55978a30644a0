"""What can be measured: reads properties.toml, finds a property by the name a feed uses, says what is possible.

`no` (nitric oxide) and `do` (dissolved oxygen) are names, not words: they match only when they are the
whole name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from data_sources.transforms import fold_name

TABLE = Path(__file__).with_name("properties.toml")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SIGNS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Property:
    """One row of the table; `unit` is the unit readings are stored in, `minimum` .. `maximum` what is possible."""

    key: str
    unit: str
    kind: str
    minimum: float
    maximum: float
    names: tuple[str, ...]
    source: str


@cache
def known_properties() -> Mapping[str, Property]:
    """Key -> Property, in the order of the file."""
    return {
        key: Property(
            key, row["unit"], row["kind"], row["min"], row["max"], tuple(row["names"]), row["source"]
        )
        for key, row in _table().items() if isinstance(row, Mapping)
    }


@cache
def sentinels() -> frozenset[float]:
    """Numbers that mean "no value" whatever is measured."""
    return frozenset(_table()["sentinels"])


@lru_cache(maxsize=4096)
def property_key(name: str) -> str:
    """The short key for a name as sent (pm25 for "PM2.5"); a name not known is folded and stays, as unmapped.

    >>> property_key("Bụi PM2.5"), property_key("Gió giật")
    ('pm25', 'gio_giat')
    """
    folded = _folded(name)
    return _aliases().get(folded, folded[:60] or "unknown")


def is_known(key: str) -> bool:
    """Whether the key is in the table; screens show the others as unmapped."""
    return key in known_properties()


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def _aliases() -> Mapping[str, str]:
    found = {_folded(name): key for key, row in known_properties().items() for name in row.names}
    return found | {key: key for key in known_properties()}


def _folded(name: str) -> str:
    plain = fold_name(name.translate(_SUBSCRIPTS))
    return _SIGNS.sub("_", plain).strip("_")
