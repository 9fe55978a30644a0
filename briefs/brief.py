"""A week to be put on paper: the Weekly, its content and hash, and what a reader must know of it (draft or issue, reach, revision)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from briefs.content import Content, canonical, content_of, sha256
from config import Config
from metrics.city import City, weekly
from metrics.city.lists.named import read_names
from metrics.city.weekly import Weekly
from metrics.city.weekly.parts import Cell, Figure, Link, Table
from metrics.city.weekly.written import said
from metrics.periods import Period
from store.briefs import BriefRow
from text import t
from text.formats import instant, number, period_label

SHORT = 12  # letters of the hash that stand on every page


@dataclass(frozen=True)
class Issue:
    """Who issues it and when. number counts the issues of this week and language; replaces = the one before, changes = what it adds."""

    by: str
    at: int
    number: int = 1
    replaces: BriefRow | None = None
    changes: Table | None = None


@dataclass(frozen=True)
class Brief:
    """What PDF and workbook are made of. reach = names it is limited to, () = the whole province; without an issue it is a draft."""

    weekly: Weekly
    config: Config
    reach: tuple[str, ...]
    content: Content
    issue: Issue | None = None

    @property
    def json(self) -> str:
        """The content as it is hashed and kept."""
        return canonical(self.content)

    @property
    def sha256(self) -> str:
        """The hash of the content."""
        return sha256(self.json)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, the changes since the last issue at the end."""
        changes = self.issue.changes if self.issue else None
        return (*self.weekly.tables, *([changes] if changes else []))


def compose(city: City, week: Period) -> Brief:
    """The brief of a week as this reader may see it, a draft. Requires see.desk; ValueError when the period is no week."""
    found = weekly.read(city, week)
    return Brief(found, city.config, _reach(city), content_of(found, city.scope))


def title(brief: Brief, lang: str) -> str:
    """The name of the week: Tuần 46/2026 (09/11–15/11/2026)."""
    week = brief.weekly.week
    return period_label(week.kind, week.start_on, week.end_on, lang)


def place(brief: Brief, lang: str) -> str:
    """The city's name in a language."""
    return brief.config.name_en if lang == "en" and brief.config.name_en else brief.config.name


def marks(brief: Brief, lang: str) -> tuple[str, ...]:
    """What stands on every page so that nobody takes the paper for more than it is: draft, simulated, a week that still runs."""
    shown = (
        ("brief.draft", brief.issue is None), ("app.simulated", brief.config.simulated), ("brief.running", not brief.weekly.is_over),
    )
    again = (t("brief.again", lang, n=brief.issue.number),) if brief.issue and brief.issue.replaces else ()
    return (*again, *(t(key, lang) for key, is_so in shown if is_so))


def facts(brief: Brief, lang: str) -> tuple[tuple[str, Cell], ...]:
    """What the figures are, as (name, words): reach, instant, revision, hash, issue, feeds left out and why."""
    issue, told = brief.issue, brief.weekly
    rows: list[tuple[str, Cell]] = [
        ("reach", "; ".join(brief.reach) or t("brief.whole", lang)), ("as_of", instant(told.as_of, brief.config.tz, lang)),
        ("revision", Figure(told.revision, "none")), ("sha256", brief.sha256),
    ]
    if issue:
        at = instant(issue.at, brief.config.tz, lang)
        who = t("brief.by_program", lang) if issue.by == "program" else issue.by.removeprefix("user:")
        rows.append(("issued", t("brief.issued_words", lang, at=at, by=who, n=issue.number)))
        if issue.replaces:
            old = issue.replaces
            at, revision = instant(old.issued_at, brief.config.tz, lang), number(old.revision, lang, 0)
            rows.append(("replaces", t("brief.replaces_words", lang, at=at, revision=revision, sha=old.sha256[:SHORT])))
    rows.append(("left_out", "; ".join(left_out(brief, lang)) or t("brief.nothing_left_out", lang)))
    return tuple((t(f"brief.fact_{key}", lang), words) for key, words in rows)


def left_out(brief: Brief, lang: str) -> tuple[str, ...]:
    """The feeds the brief does without, each with why."""
    return tuple(
        t("brief.left_out_why", lang, feed=feed.title or feed.feed, why=said(feed.why, lang)) for feed in brief.weekly.left_out
    )


def address(brief: Brief, link: Link | None, lang: str) -> str:
    """The full address of the page behind a figure; '' where the city file does not say how the desk is reached."""
    base = brief.config.web.public_url.rstrip("/")
    if not link or not base:
        return ""
    query = {**link.query, **({"lang": lang} if lang != brief.config.language else {})}
    return f"{base}{link.path}" + (f"?{urlencode(query)}" if query else "")


def _reach(city: City) -> tuple[str, ...]:
    """Names of the agencies and areas the reader is limited to."""
    if not city.scope.is_limited:
        return ()
    agencies, areas = city.scope.agencies or (), city.scope.areas or ()
    rows = [*({"agency_code": code} for code in agencies), *({"area_code": code} for code in areas)]
    with city.store.reading() as connection:
        names = read_names(connection, city, rows)
    return (*(names.agency(code) for code in agencies), *(names.area(code) for code in areas))
