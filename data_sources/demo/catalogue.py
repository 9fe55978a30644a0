"""The demo's catalogues: 60 agencies, 300 procedures in 25 domains, 14 report categories; and their CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from data_sources.demo.geography import geography
from data_sources.demo.places import PROVINCE_NAME, plain_letters
from data_sources.demo.vocabulary import CATEGORIES, DOMAINS, OFFICES

ROOT = "H99"
FIRST_COMMUNE = 20
CATALOGUE_SEED = 124
PROCEDURE_COLUMNS = (
    "code", "name", "domain_code", "domain_name", "limit_days", "level", "central_limit_days", "has_fee", "decision_on", "effective_on",
    "published_on", "has_all_parts",
)


@dataclass(frozen=True)
class Agency:
    """Whoever handles dossiers or reports; the code is dotted, `area` the commune's code where it is one."""

    code: str
    name: str
    name_en: str
    parent_code: str
    kind: str
    valid_from: str
    valid_to: str = ""
    area: str = ""


@dataclass(frozen=True)
class Procedure:
    """One administrative procedure. `limit_days` in working days, None = no due date. `office` "" = decided by communes.

    decision, effective, published: dates of its announcement (yyyy-mm-dd, '' = not made public). central_days: the ministry's limit.
    """

    code: str
    name: str
    domain_code: str
    domain_name: str
    limit_days: int | None
    level: int
    office: str
    weight: float
    fee_vnd: int
    central_days: int | None
    decision: str
    effective: str
    published: str
    has_all_parts: bool


@dataclass(frozen=True)
class Category:
    """One kind of citizen report; `handler` is an agency code or "commune"."""

    code: str
    name: str
    group: str
    handler: str
    weight: float
    limit_days: float
    storm_factor: float
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All three lists. Agencies come province first, then offices, then communes in the order of their areas."""

    agencies: tuple[Agency, ...]
    procedures: tuple[Procedure, ...]
    categories: tuple[Category, ...]


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogues of the invented province, always the same."""
    categories = tuple(
        Category(code, name, group, handler if handler == "commune" else f"{ROOT}.{handler}", weight, limit, factor, texts)
        for code, name, group, handler, weight, limit, factor, texts in CATEGORIES
    )
    return Catalogue(tuple(_agencies()), tuple(_procedures()), categories)


def _agencies() -> Iterable[Agency]:
    name_en = f"People's Committee of {plain_letters(PROVINCE_NAME)} Province"
    yield Agency(ROOT, f"UBND tỉnh {PROVINCE_NAME}", name_en, "", "province", "1997-01-01")
    for suffix, name, name_en, kind in OFFICES:
        yield Agency(f"{ROOT}.{suffix}", name, name_en, ROOT, kind, "2025-03-01")
    kinds_en = {"phường": "Ward", "xã": "Commune", "đặc khu": "Special Zone"}
    for number, area in enumerate(geography().communes, FIRST_COMMUNE):
        name_en = f"People's Committee of {plain_letters(area.name)} {kinds_en[area.kind]}"
        yield Agency(f"{ROOT}.{number}", f"UBND {area.full_name}", name_en, ROOT, "commune", area.valid_from, "", area.code)


def _procedures() -> Iterable[Procedure]:
    """Twelve a domain; within one, weights fall like 1/rank^1.6, so a few procedures dominate."""
    rng = np.random.default_rng(CATALOGUE_SEED)
    numbers = iter(rng.choice(np.arange(1000, 14000), 300, replace=False))
    announced = np.random.default_rng(CATALOGUE_SEED + 1)
    for code, name, office, share, limit, actions, objects in DOMAINS:
        ranks = 1.0 / np.arange(1, 13) ** 1.6
        weights = share * ranks / ranks.sum()
        pairs = [(action, thing) for action in actions for thing in objects]
        for (action, thing), weight in zip(pairs, weights, strict=True):
            days = max(1, round(limit * rng.uniform(0.6, 1.5))) if limit else None
            level = int(rng.choice([4, 3, 2], p=[0.58, 0.36, 0.06]))
            fee = int(rng.choice([0, 0, 15, 50, 75, 150, 500])) * 1000
            yield Procedure(
                f"{rng.integers(1, 4)}.{int(next(numbers)):06d}", f"{action} {thing}", code, name, days, level, office,
                float(weight), fee, *_announced(days, announced),
            )


def _announced(days: int | None, rng: np.random.Generator) -> tuple[int | None, str, str, str, bool]:
    """Central limit, dates of decision, coming into force and publication, and whether all parts are there."""
    central = None if days is None or rng.random() < 0.1 else max(days, round(days / rng.uniform(0.66, 0.86)))
    decision = date(2025, 7, 1) + timedelta(int(rng.integers(0, 540)))
    decision -= timedelta(max(0, decision.weekday() - 4))
    effective, public = (decision + timedelta(int(rng.choice(spans))) for spans in ((8, 10, 14, 30, 4), (1, 2, 3, 4, 5, 12)))
    published = "" if rng.random() < 0.04 else public.isoformat()
    return central, decision.isoformat(), effective.isoformat(), published, bool(rng.random() < 0.94)


def write_catalogue_csvs(folder: Path) -> tuple[Path, Path, Path]:
    """Write agencies.csv, procedures.csv, categories.csv (UTF-8, comma, header) into the folder; their paths."""
    found = catalogue()
    agencies = folder / "agencies.csv"
    _write(agencies, ("code", "name", "name_en", "parent_code", "kind", "valid_from", "valid_to", "area_code"), [
        (a.code, a.name, a.name_en, a.parent_code, a.kind, a.valid_from, a.valid_to, a.area) for a in found.agencies
    ])
    procedures = folder / "procedures.csv"
    _write(procedures, PROCEDURE_COLUMNS, [
        (
            p.code, p.name, p.domain_code, p.domain_name, "" if p.limit_days is None else p.limit_days, p.level,
            "" if p.central_days is None else p.central_days, int(p.fee_vnd > 0), p.decision, p.effective, p.published,
            int(p.has_all_parts),
        )
        for p in found.procedures
    ])
    categories = folder / "categories.csv"
    _write(categories, ("code", "name", "group"), [(c.code, c.name, c.group) for c in found.categories])
    return agencies, procedures, categories


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
