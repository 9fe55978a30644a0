"""Names of the codes on a page of rows: looked up once for the page, by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, text

from metrics.city import City
from metrics.city.lists.paging import Row
from metrics.city.masking import unvetted

_TABLES = (
    ("agency_code", "core_agency", "name"), ("procedure_code", "core_procedure", "name"), ("domain_code", "core_domain", "name"),
    ("category_code", "core_category", "name"), ("area_code", "core_area", "full_name"),
)


@dataclass(frozen=True)
class Names:
    """Code -> name per kind; an unknown code is its own name. `unvetted` = what stands in for a code, per column."""

    found: Mapping[str, Mapping[str, str]]
    unvetted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def _of(self, column: str, code: str) -> str:
        shown = self.code(column, code)
        return shown if shown != code else self.found.get(column, {}).get(code) or code

    def code(self, column: str, code: str) -> str:
        """The code in a column, or what stands in for it."""
        return self.unvetted.get(column, {}).get(code, code)

    def agency(self, code: str) -> str:
        """Name of an agency."""
        return self._of("agency_code", code)

    def procedure(self, code: str) -> str:
        """Name of a procedure."""
        return self._of("procedure_code", code)

    def domain(self, code: str) -> str:
        """Name of a domain."""
        return self._of("domain_code", code)

    def category(self, code: str) -> str:
        """Name of a category."""
        return self._of("category_code", code)

    def area(self, code: str) -> str:
        """Full name of an area, as it is called now."""
        return self._of("area_code", code)


def read_names(connection: Connection, city: City, rows: Sequence[Row]) -> Names:
    """The names behind all code columns these rows have, as this reader may know them."""
    found: dict[str, dict[str, str]] = {}
    for column, table, name in _TABLES:
        codes = sorted({row[column] for row in rows if row.get(column)})
        if codes:
            order = " ORDER BY valid_from_on" if table == "core_area" else ""  # the newest validity is read last and stays
            statement = text(f"SELECT code, {name} FROM {table} WHERE code IN :codes{order}")
            pairs: Any = connection.execute(statement.bindparams(bindparam("codes", expanding=True)), {"codes": codes})
            found[column] = dict(pairs.all())
    return Names(found, {column: unvetted(connection, city, column.removesuffix("_code")) for column in found})
