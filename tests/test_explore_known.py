"""What was known at an instant, from versions: exactly what was answered then, whatever has landed, changed or been taken back since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from config import Config, FeedConfig, RetentionConfig
from metrics.city import City, explore, open_city
from metrics.city.explore import MEASURES, Answer, Question
from metrics.city.lists.filters import parse
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from scope import scope_of
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, ReportRow
from tests.small_city import NOW, TZ, at

CONFIG = Config(name="T", feeds=(FeedConfig("one_stop", "one_stop", "portal"), FeedConfig("feedback", "feedback", "csv")))
START, STEPS = at(2, 10), 6
UNVERSIONED = ("dossiers_worked_days_mean", "dossiers_due_differs_pct")
ASKED = ((("agency",), {}), (("procedure", "channel"), {}), (("day",), {}), (("hour",), {}), (("domain",), {"channel": "online"}), ((), {}))


@dataclass
class Told:
    """A store with a past: what was answered at each instant of it."""

    store: Store
    answers: dict[int, list[Answer]] = field(default_factory=dict)

    def city(self, now: int) -> City:
        return open_city(self.store, CONFIG, scope_of("operator"), NOW + timedelta(microseconds=now - instant(NOW)))


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def told(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Told]:
    """Six deliveries, two days apart: new rows, changed ones, some taken back; after each the same questions."""
    store = open_store(make_database(request.param), TZ)
    migrate(store)
    found = Told(store)
    for step in range(STEPS):
        now = START + 2 * step * DAY
        clock_step(store, now)
        land(store, Parsed(dossiers=tuple(dossiers(step)), item_count=1), Landing("one_stop", "one_stop", now, has_tombstones=True))
        land(store, Parsed(reports=tuple(reports(step)), item_count=1), Landing("feedback", "feedback", now))
        drain(store, now)
        found.answers[now] = ask(found.city(now), None)
    yield found
    store.dispose()


def dossiers(step: int) -> Iterator[DossierRow]:
    """Six new ones, the two before them moved on, one of the first taken back in the end."""
    for number in range(6 * step, 6 * step + 6):
        yield row(number, step, 4, None)
    for number in range(6 * step - 6, 6 * step - 2):
        if number >= 0:
            yield row(number, step, 9 if number % 2 else 5, START + 2 * step * DAY - HOUR if number % 2 else None)
    if step == 4:
        yield DossierRow("H1", version=100, is_deleted=True)


def row(number: int, step: int, status: int, finished: int | None) -> DossierRow:
    """A dossier whose agency, procedure and due date change when it moves on."""
    received = START + 2 * (number // 6) * DAY - (number % 6 + 1) * HOUR
    return DossierRow(
        f"H{number}", f"H99.{(number + step) % 3}", f"P{number % 4 + (status != 4)}", f"P{number % 4}", f"D{number % 2}", "D",
        ("online", "direct")[number % 2], status, filed_at=received, received_at=received, due_at=received + (3 + step % 2) * DAY,
        finished_at=finished, version=step + 1,
    )


def reports(step: int) -> Iterator[ReportRow]:
    for number in range(4 * step - 4, 4 * step + 4):
        if number >= 0:
            received = START + 2 * (number // 4) * DAY - (number % 4 + 1) * HOUR
            is_new = number >= 4 * step
            yield ReportRow(
                f"R{number}", f"C{(number + step) % 3}", agency=f"H99.{number % 3}", status="in_progress" if is_new else "resolved",
                received_at=received, due_at=received + 2 * DAY, closed_at=None if is_new else START + 2 * step * DAY - HOUR,
                version=step + 1,
            )


def ask(city: City, known_at: int | None) -> list[Answer]:
    """Every measure of dossiers and reports that keeps versions, in several breakdowns over the whole time."""
    period = parse_period("2026-10-30..2026-11-30", city.today)
    found = []
    for topic in ("dossiers", "reports"):
        keys = [row.key for row in MEASURES if row.topic == topic and row.key not in UNVERSIONED]
        for by, given in ASKED:
            own = tuple("category" if one in ("procedure", "domain") else one for one in by) if topic == "reports" else by
            clock = "hour" in by
            chosen = tuple(key for key in keys if not clock or key in ("dossiers_received", "dossiers_finished", "reports_resolved"))
            question = Question(chosen, own, period, parse(topic, given), known_at=known_at, may_read=True)
            found.append(explore.read(city, question))
    return found


def test_what_was_answered_then_is_told_again(told: Told) -> None:
    later = told.city(START + 2 * STEPS * DAY)
    for then, answers in told.answers.items():
        for first, again in zip(answers, ask(later, then), strict=True):
            assert again.is_reproducible and not again.why_not
            assert (again.rows, again.totals) == (first.rows, first.totals), (then, first.question)


def test_the_answers_of_two_instants_differ(told: Told) -> None:
    """The check itself: a known_at that changed nothing would pass every comparison above."""
    first, *_, last = (answers[0].totals for answers in told.answers.values())
    assert first != last


@pytest.mark.parametrize(
    ("measures", "by", "given", "why"),
    (
        (("dossiers_worked_days_mean",), ("agency",), {}, "explore.why.derived"),
        (("dossiers_received",), ("area",), {}, "explore.why.area"),
        (("dossiers_received",), ("agency",), {"area": "00001"}, "explore.why.area"),
        (("readings_n",), ("property",), {}, "explore.why.readings"),
    ),
)
def test_what_keeps_no_versions_says_why_not(
    told: Told, measures: tuple[str, ...], by: tuple[str, ...], given: dict[str, str], why: str,
) -> None:
    city = told.city(START + 2 * STEPS * DAY)
    topic = "stations" if measures[0].startswith("readings") else "dossiers"
    question = Question(measures, by, parse_period("2026-11", city.today), parse(topic, given), known_at=START)
    answer = explore.read(city, question)
    assert not answer.is_reproducible and not answer.is_read and answer.why_not == (why,)


def test_versions_that_have_had_their_time_tell_nothing(told: Told) -> None:
    config = replace(CONFIG, retention=RetentionConfig(versions_s=5 * 86_400))
    city = replace(told.city(START + 2 * STEPS * DAY), config=config)
    question = Question(("dossiers_received",), ("agency",), parse_period("2026-11", city.today))
    assert explore.read(city, replace(question, known_at=START)).why_not == ("explore.why.retention",)
    assert explore.read(city, replace(question, known_at=city.as_of - DAY)).is_reproducible


def test_an_instant_to_come_is_refused(told: Told) -> None:
    city = told.city(START + 2 * STEPS * DAY)
    with pytest.raises(ValueError, match="still to come"):
        explore.read(city, Question(("dossiers_received",), (), parse_period("2026-11", city.today), known_at=city.as_of + DAY))
