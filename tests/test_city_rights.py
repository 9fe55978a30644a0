"""Every question of City asks for its permission: each with each role, and none may be added without a row here."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest

import metrics.city
from metrics.city import City, agencies, annotations, areas, audit, feeds, followups, open_city, places, shown, views, weekly
from metrics.city.annotations import Said
from metrics.city.explore import reading
from metrics.city.explore.question import Question
from metrics.city.findings import at_risk, baselines, bottlenecks, coincident, duplicates, gaming, hotspots, signals
from metrics.city.findings.baselines import Asked
from metrics.city.followups import Promise, Reminder
from metrics.city.lists import listed, station_list
from metrics.city.lists.filters import parse
from metrics.city.measured import air, devices, readings, station_series, stations, water
from metrics.city.measured.readings import ReadingFilter
from metrics.city.measured.stations import Measured
from metrics.city.numbers import area_kpis, definitions, form_06a, indicators, kpis, score, series
from metrics.city.records import dossiers, near, reports
from metrics.periods import parse_period
from scope import ROLES, Forbidden, Scope, scope_of
from store.annotations import NewAnnotation, put_annotation
from store.days import DAY, number_of
from store.engine import Store
from store.followups import NewEvent, NewFollowup, add_event, put_followup
from store.keys import PROGRAM, By
from store.same import WrongState, say
from store.views import put_view, remove_view
from tests.rights_city import AGENCY, AT, CONFIG, IN, NOW, make_province

PERIOD = parse_period("this_month", NOW.date())
SPAN = Asked("dossiers_received", "2026-W20", "2026-W31", "of these weeks we know all")
CHOSEN = ReadingFilter(AT - DAY, AT)
TODAY = number_of(NOW.date())
PA0, PA1 = (("feedback", f"PA{number}-zagin-zarin") for number in (0, 1))
WEEK = parse_period("2026-W46", NOW.date())
DOSSIERS, STATIONS = parse("dossiers", {}), parse("stations", {})
VALUE = Measured(1, "pm2_5", "µg/m³", "", 9.0, AT, "normal")
PROMISED = Promise("2026-W46", "bring the late ones down", "2026-11-30")


def promised(city: City, *events: NewEvent) -> int:
    """A follow-up made by the program, for those who may only read too."""
    made = put_followup(city.store, NewFollowup("2026-W46", "bring the late ones down", TODAY), PROGRAM, AT)
    for event in events:
        add_event(city.store, made, event, PROGRAM, AT)
    return made


def placed(city: City) -> reports.ReportItem:
    """A report with a place, as the program reads it."""
    reader = open_city(city.store, CONFIG, scope_of("operator"), NOW)
    return next(row for row in reports.read(reader).rows if row.lon is not None and row.received_at is not None)


def spoken(city: City, kind: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two reports of which the program said this last."""
    with suppress(WrongState):
        say(city.store, PA0, PA1, kind, PROGRAM, AT, ("", ""))
    return PA0, PA1


def reminder(city: City) -> Reminder:
    """What the program would remind of."""
    reader = open_city(city.store, CONFIG, scope_of("viewer"), NOW)
    found = followups.one(reader, promised(city))
    assert found is not None
    return Reminder(found, "soon")


def said(city: City) -> int:
    """An annotation made by the program."""
    return put_annotation(city.store, NewAnnotation("a storm", TODAY, TODAY), PROGRAM, AT)


def saved(city: City, *, is_removed: bool = False) -> int:
    """A view of the reader's own, made for them."""
    made = put_view(city.store, "/explore", "", "a view", By(city.scope.actor), AT)
    if is_removed:
        remove_view(city.store, made, By(city.scope.actor), AT)
    return made


# question (and of what, where that decides) -> the permissions it takes (all of them), and one way to ask it
QUESTIONS: dict[str, tuple[tuple[str, ...], Callable[[City], Any]]] = {
    "agencies.read": (("see.desk",), agencies.read),
    "areas.polygons": (("see.desk",), areas.polygons),
    "areas.counts": (("see.desk",), lambda city: areas.counts(city, "reports_open", PERIOD)),
    "audit.read": (("see.audit",), audit.read),
    "audit.every": (("see.audit", "export"), lambda city: list(audit.every(city))),
    "audit.actors": (("see.audit",), audit.actors),
    "audit.kinds": (("see.audit",), audit.kinds),
    "audit.length": (("see.audit",), audit.length),
    "audit.check": (("see.audit",), audit.check),
    "audit.last_check": (("see.audit",), audit.last_check),
    "numbers.definitions.read": (("see.desk",), definitions.read),
    "records.dossiers.total": (("see.dossiers",), dossiers.total),
    "records.dossiers.read": (("see.dossiers",), dossiers.read),
    "records.dossiers.every": (("see.dossiers", "export"), lambda city: list(dossiers.every(city))),
    "records.dossiers.one": (("see.dossiers",), lambda city: dossiers.one(city, "", "H0-zagin-zarin")),
    "feeds.read": (("see.feeds",), feeds.read),
    "feeds.losses": (("see.feeds",), lambda city: feeds.losses(city, "one_stop")),
    "feeds.reject_counts": (("see.feeds",), feeds.reject_counts),
    "feeds.rejects": (("see.rejects",), lambda city: feeds.rejects(city, "one_stop")),
    "numbers.indicators.read": (("see.desk",), indicators.read),
    "numbers.indicators.choices": (("see.desk",), indicators.choices),
    "numbers.indicators.cards": (("see.desk",), indicators.cards),
    "numbers.indicators.plans": (("see.desk",), indicators.plans),
    "numbers.indicators.figures": (("see.desk",), indicators.figures),
    "findings.hotspots.read": (("see.desk",), lambda city: hotspots.read(city, 250)),
    "findings.hotspots.unusual": (("see.reports", "see.small_counts"), lambda city: hotspots.unusual(city, PERIOD)),
    "findings.duplicates.read": (("see.reports",), lambda city: duplicates.read(city, PERIOD)),
    "findings.duplicates.candidates": (("see.reports",), lambda city: duplicates.candidates(city, *PA0)),
    "findings.duplicates.one": (("see.reports",), lambda city: duplicates.one(city, (PA0, PA1))),
    "findings.duplicates.merge": (("see.reports", "manage.reports"), lambda city: duplicates.merge(city, *spoken(city, "undone"), "", AT)),
    "findings.duplicates.keep_apart": (
        ("see.reports", "manage.reports"), lambda city: duplicates.keep_apart(city, *spoken(city, "undone"), "", AT),
    ),
    "findings.duplicates.undo": (("see.reports", "manage.reports"), lambda city: duplicates.undo(city, *spoken(city, "merged"), "", AT)),
    "shown.keep": (("see.desk",), lambda city: shown.keep(city, "/explore", "", "vi", {}, "", AT)),
    "shown.read": (("see.desk",), lambda city: shown.read(city, "/explore", "0" * 16)),
    "views.read": (("see.desk",), lambda city: views.read(city, "/explore")),
    "views.save": (("see.desk",), lambda city: views.save(city, "/explore", "", "a view", "", AT)),
    "views.rename": (("see.desk",), lambda city: views.rename(city, saved(city), "another", "", AT)),
    "views.share": (("see.desk", "share.views"), lambda city: views.share(city, saved(city), "", AT, is_shared=True)),
    "views.remove": (("see.desk",), lambda city: views.remove(city, saved(city), "", AT)),
    "views.restore": (("see.desk",), lambda city: views.restore(city, saved(city, is_removed=True), "", AT)),
    "numbers.area_kpis.read": (("see.desk",), lambda city: area_kpis.read(city, "reports_open", PERIOD)),
    "findings.at_risk.model": (("see.dossiers",), at_risk.model),
    "findings.at_risk.read": (("see.dossiers",), lambda city: at_risk.read(city, DOSSIERS)),
    "findings.at_risk.every": (("see.dossiers", "export"), lambda city: list(at_risk.every(city, DOSSIERS))),
    "findings.bottlenecks.procedures": (("see.dossiers",), lambda city: bottlenecks.procedures(city, PERIOD)),
    "findings.bottlenecks.read": (("see.dossiers",), lambda city: bottlenecks.read(city, f"P-{IN}", PERIOD)),
    "findings.coincident.read": (("see.desk",), lambda city: coincident.read(city, "", WEEK)),
    "explore.reading.read": (
        ("see.desk", "see.small_counts"), lambda city: reading.read(city, Question(("dossiers_received",), ("agency",), PERIOD)),
    ),
    "explore.reading.read of readings": (
        ("see.desk", "see.stations"), lambda city: reading.read(city, Question(("readings_mean",), ("property",), PERIOD)),
    ),
    "explore.reading.stop": (("see.desk",), lambda city: reading.stop(city, "a page that asks nothing")),
    "findings.gaming.estimate": (("see.dossiers",), lambda city: gaming.estimate(city, PERIOD)),
    "findings.gaming.read": (("see.dossiers",), lambda city: gaming.read(city, PERIOD)),
    "findings.gaming.evidence": (("see.dossiers",), lambda city: gaming.evidence(city, gaming.AGAIN, AGENCY[IN], PERIOD)),
    "findings.gaming.evidence of reports": (
        ("see.dossiers", "see.reports"), lambda city: gaming.evidence(city, gaming.BULK, AGENCY[IN], PERIOD),
    ),
    "records.near.drawn": (("see.reports",), lambda city: near.drawn(city, placed(city))),
    "records.near.grid_of_reader": (("see.reports",), near.grid_of_reader),
    "records.near.of_report": (("see.reports",), lambda city: near.of_report(city, placed(city), PA0[1])),
    "places.day_indices": (("see.stations",), lambda city: places.day_indices(city, TODAY)),
    "places.extent": (("see.reports",), lambda city: places.extent(city, reports.chosen({}))),
    "places.read_spots": (("see.reports",), lambda city: places.read_spots(city, reports.chosen({}))),
    "places.read_squares": (("see.reports",), lambda city: places.read_squares(city, reports.chosen({}))),
    "places.read_told": (("see.desk",), places.read_told),
    "lists.station_list.read": (("see.stations",), lambda city: station_list.read(city, STATIONS)),
    "measured.station_series.read": (("see.stations",), lambda city: [station_series.read(city, VALUE,
    row.key) for row in station_series.SPANS]),
    "measured.station_series.days_heard": (("see.stations",), lambda city: station_series.days_heard(city, (1,))),
    "numbers.kpis.read": (("see.desk",), lambda city: kpis.read(city, (), PERIOD)),
    "measured.readings.read": (("see.stations",), lambda city: readings.read(city, CHOSEN)),
    "measured.readings.every": (("see.stations", "export"), lambda city: list(readings.every(city, CHOSEN))),
    "records.dossiers.query": (("see.dossiers",), dossiers.query),
    "lists.listed.query": (("see.dossiers",), lambda city: listed.query(city, dossiers.chosen({}))),
    "lists.listed.page": (
        ("see.dossiers",), lambda city: listed.page(city, dossiers.chosen({}), lambda _, rows: tuple(rows), sort="", limit=9, cursor=""),
    ),
    "lists.listed.total": (("see.dossiers",), lambda city: listed.total(city, dossiers.chosen({}))),
    "lists.listed.every": (
        ("see.dossiers", "export"), lambda city: list(listed.every(city, dossiers.chosen({}), lambda _, rows: tuple(rows))),
    ),
    "records.reports.query": (("see.reports",), reports.query),
    "records.reports.total": (("see.reports",), reports.total),
    "records.reports.read": (("see.reports",), reports.read),
    "records.reports.every": (("see.reports", "export"), lambda city: list(reports.every(city))),
    "records.reports.one": (("see.reports",), lambda city: reports.one(city, "", "PA0-zagin-zarin")),
    "numbers.form_06a.read": (("see.desk",), lambda city: form_06a.read(city, PERIOD)),
    "numbers.score.read": (("see.desk",), lambda city: score.read(city, PERIOD)),
    "numbers.series.read": (("see.desk",), lambda city: series.read(city, "reports_open", "day", PERIOD)),
    "findings.signals.read": (("see.desk",), signals.read),
    "findings.signals.pin": (("see.desk", "manage.baselines"), lambda city: signals.pin(city, AT)),
    "findings.baselines.history": (("see.desk",), lambda city: baselines.history(city, "dossiers_received")),
    "findings.baselines.set_baseline": (("manage.baselines",), lambda city: baselines.set_baseline(city, SPAN, "", AT)),
    "followups.read": (("see.desk",), followups.read),
    "followups.one": (("see.desk",), lambda city: followups.one(city, 1)),
    "followups.due": (("see.desk",), followups.due),
    "followups.make": (("manage.followups",), lambda city: followups.make(city, PROMISED, "", AT)),
    "followups.note": (("manage.followups", "see.desk"), lambda city: followups.note(city, promised(city), "half of it", "", AT)),
    "followups.move": (
        ("manage.followups", "see.desk"), lambda city: followups.move(city, promised(city), "2026-11-30", "flood", "", AT),
    ),
    "followups.close": (("manage.followups", "see.desk"), lambda city: followups.close(city, promised(city), "", "", AT)),
    "followups.reopen": (
        ("manage.followups", "see.desk"), lambda city: followups.reopen(city, promised(city, NewEvent("done")), "", "", AT),
    ),
    "followups.drop": (("manage.followups", "see.desk"), lambda city: followups.drop(city, promised(city), "no budget", "", AT)),
    "followups.remind": (("manage.followups", "see.desk"), lambda city: followups.remind(city, reminder(city), AT)),
    "annotations.read": (("see.desk",), lambda city: annotations.read(city, None, PERIOD)),
    "annotations.one": (("see.desk",), lambda city: annotations.one(city, 1)),
    "annotations.write": (
        ("manage.annotations",), lambda city: annotations.write(city, Said("a storm", "2026-11-16", "2026-11-18"), "", AT),
    ),
    "annotations.withdraw": (
        ("manage.annotations", "see.desk"), lambda city: annotations.withdraw(city, said(city), "wrong day", "", AT),
    ),
    "measured.air.exceedances": (("see.stations",), lambda city: air.exceedances(city, PERIOD)),
    "measured.devices.uptime": (("see.stations",), lambda city: devices.uptime(city, PERIOD)),
    "measured.water.levels": (("see.stations",), water.levels),
    "measured.water.rain": (("see.stations",), water.rain),
    "measured.stations.flagged_readings": (("see.stations",), lambda city: stations.flagged_readings(city, (1,), AT - DAY, AT)),
    "weekly.read": (("see.desk",), lambda city: weekly.read(city, parse_period("2026-W46", NOW.date()))),
    "measured.stations.read": (("see.stations",), stations.read),
    "measured.stations.hour_series": (("see.stations",), lambda city: stations.hour_series(city, 1, AT - DAY, AT)),
}
# read nothing of the store: they compute with what a question has given, or say what a scope may
NO_QUESTIONS = (
    "records.dossiers.timeliness", "records.reports.timeliness", "feeds.coverage", "feeds.is_known",
    "feeds.reads_rejects", "lists.searched.reads_text",
    "lists.searched.search_condition", "lists.filters.narrowed", "lists.row_orders.order_of",
    "lists.row_counts.coverage_of", "numbers.zone_hours.hour_of",
    "numbers.zone_hours.day_of", "findings.moments.moment", "findings.moments.spans", "findings.coincident_known.holidays",
    "records.dossier_clock.clock_of", "records.dossier_clock.drawn", "records.report_clock.read",
    "explore.cells.narrow", "explore.cells.pinned", "explore.past.why_not", "explore.readings.narrow_readings",
    "findings.gaming_rules.clock_values", "findings.gaming_rules.near_due", "findings.gaming_rules.worked_days",
    "lists.known.known",  # names, as this reader may know them: what a filter is made with
    "records.history.agency_names",  # names for who may see the list of agencies, and none for anybody else
    "findings.signals.last_full_week", "findings.signals.spans", "findings.signals.of_points",
    "numbers.score.of_values", "numbers.sums.flow_source",
    "weekly.asking.speaks", "weekly.asking.ends_at", "findings.baselines.may_set",
    "findings.duplicates.reach_of", "followups.may_write", "annotations.may_write", "masking.masked",
    "records.timing.soon_boundary", "records.timing.days_left",
    "measured.stations.cadence_of", "measured.stations.in_scope", "findings.closings.bulk_rows", "findings.closings.judged",
)


@pytest.fixture(scope="module")
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    filled = make_province(make_database("sqlite"), (IN,))
    yield filled
    filled.dispose()


def asked_of_a_city() -> set[str]:
    """Every public function of metrics/city whose first argument is a City; those given a connection are parts of one."""
    found = set()
    for row in pkgutil.walk_packages(metrics.city.__path__, "metrics.city."):
        module = import_module(row.name)
        for name, value in vars(module).items():
            is_ours = inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
            if is_ours and next(iter(inspect.signature(value).parameters), "") == "city":
                found.add(f"{row.name}.{name}".removeprefix("metrics.city."))
    return found


def test_every_question_has_a_row() -> None:
    assert asked_of_a_city() == {*(name.partition(" of ")[0] for name in QUESTIONS), *NO_QUESTIONS}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_to_who_holds_its_permissions_and_nobody_else(store: Store, name: str) -> None:
    permissions, ask = QUESTIONS[name]
    for scope in (Scope(), *(scope_of(role.key, actor=role.key) for role in ROLES)):
        city = open_city(store, CONFIG, scope, NOW)
        if all(scope.permits(permission) for permission in permissions):
            ask(city)
        else:
            with pytest.raises(Forbidden):
                ask(city)
                pytest.fail(f"{name} answered {scope.actor or 'nobody'}")
