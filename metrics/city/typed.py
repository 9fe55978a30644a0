"""What people type: days and sentences, checked before anything is kept. No phones, e-mails, id numbers or names of persons."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import Connection, text

from data_sources.redact import EMAIL, PAPER, PERSON, PHONE, redact
from metrics.city import City
from metrics.city.numbers.sums import Choice, conditions
from metrics.kpis import KPI_BY_KEY
from text import t

OF_PERSONS = {PHONE: "phone", EMAIL: "email", PAPER: "paper", PERSON: "person"}
_DOSSIER_NUMBER = re.compile(r"\b\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}[\w.-]*")  # 000.00.15.H49-261101-0012 reads like a telephone


class TypedFault(ValueError):
    """It cannot be kept like this. The shown words are the text of `key` with `words` in it; `field` = what they are about."""

    def __init__(self, key: str, field: str, **words: object) -> None:
        super().__init__(t(key, "en", **words))
        self.key, self.field, self.words = key, field, words


def sentence(written: str, field: str, least: int, most: int) -> str:
    """One line of least..most letters without anything of a person. Raises TypedFault. least 0 = may be missing."""
    line = " ".join(written.split())
    if not least <= len(line) <= most or "\0" in line:
        raise TypedFault("typed.fault_missing" if not line else "typed.fault_length", field, least=least, most=most)
    told = redact(_DOSSIER_NUMBER.sub("", line))
    for marker, kind in OF_PERSONS.items():
        if marker in told and marker not in line:
            raise TypedFault(f"typed.fault_{kind}", field)
    return line


def day_of(written: str, field: str) -> date:
    """A day as 2026-11-30. Raises TypedFault."""
    try:
        found = date.fromisoformat(written.strip()[:10])
    except ValueError:
        raise TypedFault("typed.fault_day", field) from None
    if not 2000 <= found.year < 2200:
        raise TypedFault("typed.fault_day", field)
    return found


def known_kpi(key: str) -> str:
    """A KPI's key, '' = of none. Raises TypedFault."""
    if key and key not in KPI_BY_KEY:
        raise TypedFault("typed.fault_kpi", "key")
    return key


def covers(connection: Connection, city: City, agency: str, area: str = "") -> bool:
    """May the reader speak for this agency and area: known, and wholly theirs? Without both it is the whole province."""
    scope = city.scope
    if not agency and not area:
        return not scope.is_limited
    return _own_agency(connection, city, agency, area) and _own_area(connection, city, agency, area)


def _own_agency(connection: Connection, city: City, agency: str, area: str) -> bool:
    if not agency:
        return bool(area) and city.scope.agencies is None
    own, values = conditions(city.scope, "dossiers", Choice(), "own.")
    known = f"SELECT 1 FROM (SELECT code AS agency_code FROM core_agency) own WHERE own.agency_code = :known{own}"
    return connection.execute(text(known), {**values, "known": agency}).first() is not None


def _own_area(connection: Connection, city: City, agency: str, area: str) -> bool:
    if not area:
        return bool(agency)
    known = connection.execute(text("SELECT 1 FROM core_area WHERE code = :area LIMIT 1"), {"area": area}).first()
    return known is not None and city.scope.covers_area(area)
