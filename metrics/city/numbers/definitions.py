"""The catalogue of KPIs as a city has it: every row with its targets, its owner, and the feeds and tables it comes from.

The screen and GET /api/v1/catalogue ask the same function; texts of a KPI are found by words of any language, accents or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from config import ROLES, Config
from config.targets import KpiChoice, Target
from metrics.city import City, feeds
from metrics.city.feeds import ROLE_TOPIC, FeedState
from metrics.kpis import SUBJECTS, THEMES, Kpi, tables_of
from text import LANGUAGES, t
from text.vietnamese import fold


@dataclass(frozen=True)
class Definition:
    """A KPI and where its figures come from here.

    `subject` = the table of rows it stands in. `has_feed` = the city reads something it could come from. `feeds` are told to who may see
    feeds. owner '' = the city file names nobody.
    `about` = the procedures and domains the city file narrows it to.
    """

    row: Kpi
    subject: str
    targets: tuple[Target, ...]
    owner: str
    about: KpiChoice
    tables: tuple[str, ...]
    has_feed: bool
    feeds: tuple[FeedState, ...]


def read(city: City, theme: str = "", words: str = "") -> tuple[Definition, ...]:
    """Every KPI in the order of the rows; `theme` and `words` narrow (words: each must be in key, label, definition or source).

    Requires see.desk. Raises ValueError for an unknown theme.
    """
    city.scope.require("see.desk")
    if theme not in ("", *THEMES):
        raise ValueError(f"theme: {theme!r} is not one of {', '.join(THEMES)}")
    told: tuple[FeedState, ...] = ()
    if city.scope.permits("see.feeds"):
        with city.store.reading() as connection:
            told = feeds.read_in(connection, city)
    rows = [(subject, row) for subject, table in SUBJECTS.items() for row in table if theme in ("", row.theme)]
    wanted = fold(words).split()
    return tuple(_definition(city.config, subject, row, told) for subject, row in rows if _has(row, wanted))


def _definition(config: Config, subject: str, row: Kpi, told: tuple[FeedState, ...]) -> Definition:
    roles = _roles(row.topic)
    sources = [feed for feed in config.feeds if feed.role in roles]
    owners = "; ".join(dict.fromkeys(feed.owner for feed in sources if feed.owner)) if row.topic in ROLE_TOPIC.values() else ""
    return Definition(
        row, subject, config.targets.get(row.key, ()), config.kpi_owners.get(row.key, owners),
        config.kpi_choices.get(row.key, KpiChoice()), tables_of(row), bool(sources),
        tuple(state for state in told if state.role in roles),
    )


def _roles(topic: str) -> set[str]:
    """The roles of the feeds a topic's figures come from; the operation's own figures speak of every feed."""
    return {role for role, of in ROLE_TOPIC.items() if of == topic} or set(ROLES)


def _has(row: Kpi, wanted: list[str]) -> bool:
    """Is every wanted word in the texts of the KPI?"""
    parts = (t(f"kpi.{row.key}.{part}", lang) for lang in LANGUAGES for part in ("label", "definition", "source"))
    found = fold(" ".join((row.key, *parts))) if wanted else ""
    return all(word in found for word in wanted)
