"""Small worlds for property tests: a few dossiers, reports and streams, many versions of each, in a zone with half-hour DST.

Instants lie on half hours of the week in which Lord Howe Island changes its clock, so that days, hours and due dates
collide often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import text

from store import schema
from store.days import instant
from store.engine import Store
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow, Stop

TZ = ZoneInfo("Australia/Lord_Howe")  # +10:30, from 2026-10-04 02:00 on +11:00
BASE = instant(datetime(2026, 10, 1, tzinfo=TZ))
HALF_HOUR = 1_800_000_000
SLOTS = 7 * 48

instants = st.integers(0, SLOTS).map(lambda n: BASE + n * HALF_HOUR)
maybe = st.one_of(st.none(), instants)
closings = st.tuples(instants, st.sampled_from([0, 7, 59])).map(lambda both: both[0] + both[1] * 60_000_000)  # with a time of day, or not


@dataclass(frozen=True)
class Fold:
    """Fold in mid-delivery, at most `limit` log rows."""

    limit: int


@dataclass(frozen=True)
class Clock:
    """The store's clock moves to this instant (never back)."""

    at: int


@st.composite
def stops(draw: st.DrawFn) -> tuple[Stop, ...]:
    """None, a closed one, or closed ones and one still open."""
    times = sorted(draw(st.lists(instants, max_size=4, unique=True)))
    return tuple(Stop(start, end) for start, end in zip(times[::2], [*times[1::2], None], strict=False))


_FLAGS = (
    "is_digitised", "is_paid_online", "has_fee", "has_component_file", "has_e_result", "is_shared", "is_identified", "has_apology",
    "is_disliked",
)
# one number decides them all: level, and each flag yes, no or not told
told_facts = st.integers(0, 4 * 3 ** len(_FLAGS) - 1).map(lambda n: {
    "level": ("", "information", "partial", "full")[n % 4],
    **{name: (None, False, True)[n // 4 // 3**place % 3] for place, name in enumerate(_FLAGS)},
})


@st.composite
def dossiers(draw: st.DrawFn, version: int | None) -> DossierRow:
    """One version of one of five dossiers; some are deleted, some cannot land."""
    status = draw(st.sampled_from([0, 1, 2, 3, 4, 4, 5, 7, 9, 9, 10]))
    done = status in (7, 9, 10)
    return DossierRow(
        draw(st.sampled_from("12345")), agency=draw(st.sampled_from(["A", "A.1", "B", ""])), status=status,
        domain_code=draw(st.sampled_from(["D", "E"])), channel=draw(st.sampled_from(["direct", "online", "postal"])),
        filed_at=draw(maybe), received_at=draw(maybe if draw(st.booleans()) else instants), due_at=draw(maybe),
        finished_at=draw(instants if done and draw(st.integers(0, 9)) else maybe if done else st.none()),
        supplement_count=draw(st.integers(0, 2)), second_supplement_at=draw(maybe), version=version, stops=draw(stops()),
        **draw(told_facts),
        is_deleted=draw(st.integers(0, 11)) == 0,
    )


@st.composite
def reports(draw: st.DrawFn, version: int | None) -> ReportRow:
    """One version of one of four reports."""
    status = draw(st.sampled_from(["new", "in_progress", "closed", "closed", "refused", "reopened", "returned", "unmapped"]))
    told = st.one_of(st.none(), st.integers(0, 2))
    return ReportRow(
        draw(st.sampled_from("1234")), category=draw(st.sampled_from(["rubbish", "light"])),
        agency=draw(st.sampled_from(["A", "B"])), area=draw(st.sampled_from(["X", "Y"])), status=status,
        received_at=draw(instants), due_at=draw(maybe),
        closed_at=draw(closings) if status in ("closed", "refused") else None,
        is_duplicate=draw(st.one_of(st.none(), st.booleans())), is_urgent=draw(st.booleans()), rating=draw(st.one_of(told, st.just(3))),
        reopened_count=draw(told), reopened_at=draw(maybe), returned_count=draw(told), extension_count=draw(told),
        version=version, is_deleted=draw(st.integers(0, 11)) == 0,
    )


@st.composite
def versioned(draw: st.DrawFn) -> tuple[list[DossierRow | ReportRow], list[object]]:
    """(every row, a delivery): the rows shuffled, some twice or more, split into batches, folds and clock steps between them.

    Versions are all different and some lie before 1970.
    """
    count = draw(st.integers(2, 14))
    made: list[DossierRow | ReportRow] = [
        draw(dossiers(10 * n - 25) if draw(st.booleans()) else reports(10 * n - 25)) for n in range(count)
    ]
    repeats = draw(st.lists(st.sampled_from(made), max_size=6))
    return made, draw(delivery([*made, *repeats]))


@st.composite
def delivery(draw: st.DrawFn, rows: list[object]) -> list[object]:
    """The rows in any order, cut into batches, with folds and clock steps in between."""
    left, steps = list(draw(st.permutations(rows))), list[object]()
    while left:
        size = draw(st.integers(1, len(left)))
        steps.append(batch(left[:size]))
        left = left[size:]
        extra = draw(st.integers(0, 3))
        if extra == 1:
            steps.append(Fold(draw(st.sampled_from([1, 3, 1000]))))
        elif extra == 2:
            steps.append(Clock(draw(instants)))
    return steps


# made once: to make them for every part took as long as to draw it
PARTS = st.one_of(
    st.builds(ReadingRow, st.sampled_from(["s-pm", "t-pm"]), instants, st.integers(0, 9).map(float)),
    st.builds(ReadingRow, st.sampled_from(["s-pm", "t-pm"]), instants, st.integers(0, 9).map(float)),
    st.builds(lambda key, area: StationRow(key, key, area=area), st.sampled_from("stu"), st.sampled_from("XY")),
    st.builds(DatastreamRow, st.sampled_from(["s-pm", "t-pm"]), st.sampled_from("stu"), st.sampled_from(["pm25", "no2"])),
)


@st.composite
def measured(draw: st.DrawFn) -> list[object]:
    """A delivery of readings with corrections, of stations that move and streams that are described anew."""
    things: list[object] = [StationRow(key, key, area="X") for key in "st"]
    things += [DatastreamRow(f"{key}-pm", key, "pm25") for key in "st"]
    parts: list[object] = [draw(PARTS) for _ in range(draw(st.integers(3, 25)))]
    return [batch(things), *draw(delivery(parts))]


def batch(rows: list[object]) -> Parsed:
    """Rows of any kinds as one batch."""
    kinds = {
        "dossiers": DossierRow, "reports": ReportRow, "stations": StationRow, "datastreams": DatastreamRow, "readings": ReadingRow,
    }
    found = {name: tuple(row for row in rows if isinstance(row, kind)) for name, kind in kinds.items()}
    return Parsed(**found, item_count=len(rows))  # type: ignore[arg-type]


def wipe(store: Store) -> None:
    """Empty every table but the audit trail, which lets nobody, for the next example."""
    names = [table.name for table in schema.metadata.sorted_tables[::-1] if table is not schema.audit]
    with store.writing() as connection:
        # of a few rows each: TRUNCATE would make new files for all of them. PostgreSQL takes all statements in one question.
        deletes = [f"DELETE FROM {name}" for name in names]
        for statement in deletes if store.is_sqlite else ["; ".join(deletes)]:
            connection.execute(text(statement))
