"""Agencies, procedures, domains, categories and areas: the city's lists, and what feeds name beyond them.

A name or code the lists do not know becomes a row of its own with origin `unmapped` (or `feed` where the city keeps no such list): it is
shown and can be mapped later; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, select, text

from store import schema
from store.rows import AgencyRow, CategoryRow, ProcedureRow
from text.vietnamese import fold_place

CODE_MAX = 120


def put_agencies(connection: Connection, rows: Iterable[AgencyRow]) -> None:
    """Replace the city's own agencies by these, with the names feeds may use for them.

    A dossier lies where its agency does: when one moves, no sum of days by area stands.
    """
    stood: dict[str, str] = dict(connection.execute(text("SELECT code, area_code FROM core_agency")).all())
    rows = tuple(rows)
    if any(stood.get(row.code, "") != row.area_code for row in rows):
        connection.execute(text("UPDATE ops_folded_day SET revision = revision + 1 WHERE topic = 'dossiers'"))
    for row in rows:
        _put(connection, schema.agency, {
            "code": row.code, "name": row.name, "name_en": row.name_en, "parent_code": row.parent_code, "kind": row.kind,
            "area_code": row.area_code, "valid_from_on": row.valid_from_on, "valid_to_on": row.valid_to_on,
            "successor_code": row.successor_code, "origin": "catalogue", "officers": row.officers,
        })
        for name in (row.name, row.code, *row.aliases):
            _put(connection, schema.agency_alias, {"folded": fold_place(name), "agency_code": row.code})


def put_procedures(connection: Connection, rows: Iterable[ProcedureRow]) -> None:
    """Upsert the city's procedures and their domains."""
    for row in rows:
        _put(connection, schema.procedure, {
            "code": row.code, "name": row.name, "domain_code": row.domain_code, "limit_days": row.limit_days, "level": row.level,
            "central_limit_days": row.central_limit_days, "has_fee": row.has_fee, "decision_on": row.decision_on,
            "effective_on": row.effective_on, "published_on": row.published_on, "has_all_parts": row.has_all_parts,
            "limit_unit": row.limit_unit, "origin": "catalogue",
        })
        if row.domain_code:
            _put(connection, schema.domain, {"code": row.domain_code, "name": row.domain_name, "origin": "catalogue"})


def put_categories(connection: Connection, rows: Iterable[CategoryRow]) -> None:
    """Upsert the city's report categories."""
    for row in rows:
        _put(connection, schema.category, {
            "code": row.code, "name": row.name, "group_name": row.group_name, "origin": "catalogue",
        })


def _put(connection: Connection, table: Table, values: dict[str, object]) -> None:
    key = next(iter(values))
    names = ", ".join(values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != key)
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(':' + name for name in values)}) "
            f"ON CONFLICT ({key}) DO UPDATE SET {updates}"
        ),
        values,
    )


@dataclass
class Resolver:
    """Turns what feeds write into codes, within one transaction; remembers what was new until `save`."""

    connection: Connection
    aliases: dict[str, str] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=dict)
    fresh: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    areas: dict[str, str] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)  # of procedures whose level the catalogue knows
    _seen: dict[str, str] = field(default_factory=dict)

    def agency(self, given: str) -> str:
        """Code of an agency given by code or by name; '' stays ''."""
        if not given:
            return ""
        found = self._seen.get(given)
        if found is None:
            name = given.strip()[:CODE_MAX]
            found = name if name in self.known["core_agency"] else self.aliases.get(fold_place(name), "")
            if not found:
                found = self._new("core_agency", name, {"name": name})
            self._seen[given] = found
        return found

    def procedure(self, code: str, name: str, domain_code: str) -> str:
        """Code of a procedure, made known when it is not."""
        if code and code not in self.known["core_procedure"]:
            self._new("core_procedure", code, {"name": name or code, "domain_code": domain_code})
        return code

    def domain(self, code: str, name: str) -> str:
        """Code of a domain, made known when it is not."""
        if code and code not in self.known["core_domain"]:
            self._new("core_domain", code, {"name": name or code})
        return code

    def category(self, code: str, name: str, group_name: str) -> str:
        """Code of a category; a name alone serves as the code."""
        key = (code or name)[:CODE_MAX]
        if key and key not in self.known["core_category"]:
            self._new("core_category", key, {"name": name or key, "group_name": group_name})
        return key

    def area(self, given: str) -> str:
        """Code of an area given by code or by name; '' stays ''."""
        if not given:
            return ""
        name = given.strip()[:CODE_MAX]
        if name in self.known["core_area"]:
            return name
        found = self.areas.get(fold_place(name))
        return found or self._new("core_area", name, {"name": name, "full_name": name, "valid_from_on": 0, "level": "commune"})

    def _new(self, table: str, code: str, values: dict[str, object]) -> str:
        origin = "unmapped" if table in self.listed else "feed"
        self.fresh.setdefault(table, {})[code] = {"code": code, **values, "origin": origin}
        self.known[table].add(code)
        return code

    def save(self) -> None:
        """Write what was new; two writers naming the same new code is no conflict."""
        for table, rows in self.fresh.items():
            for code in sorted(rows):
                names = ", ".join(rows[code])
                marks = ", ".join(":" + name for name in rows[code])
                self.connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"), rows[code])


def make_resolver(connection: Connection) -> Resolver:
    """A Resolver over what the store knows now."""
    resolver = Resolver(connection)
    for table in (schema.agency, schema.procedure, schema.domain, schema.category, schema.area):
        found = connection.execute(select(table.c.code, table.c.origin)).all()
        resolver.known[table.name] = {code for code, _ in found}
        if any(origin == "catalogue" for _, origin in found):
            resolver.listed.add(table.name)
    levels = connection.execute(select(schema.procedure.c.code, schema.procedure.c.level).where(schema.procedure.c.level != ""))
    resolver.levels = dict(levels.all())
    aliases = connection.execute(select(schema.agency_alias.c.folded, schema.agency_alias.c.agency_code))
    resolver.aliases = dict(aliases.all())
    for code, name, full_name in connection.execute(select(schema.area.c.code, schema.area.c.name, schema.area.c.full_name)):
        for text_ in (name, full_name):
            if text_:
                resolver.areas.setdefault(fold_place(text_), code)
    return resolver
