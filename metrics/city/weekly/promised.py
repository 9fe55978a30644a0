"""What was promised: how much of it was kept, what is late, who owes it and by when."""

from __future__ import annotations

from metrics.city import followups
from metrics.city.followups import Followup
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import sentence, short
from metrics.kpis import KPI_BY_KEY

SECTION, MOST_WORDS = "followups", 12
TABLE = (
    Column("promise"), Column("agency"), Column("who"), Column("due", "date"), Column("followup_state"), Column("done", "date"),
    Column("kept"), Column("moves", "figure"), Column("kpi"), Column("promised_in"), Column("last_word"),
)


def read(asking: Asking) -> tuple[Followup, ...]:
    """Those of earlier briefs that were open when the week began, and those of the week itself."""
    return followups.read(asking.city, asking.week)


def late(found: tuple[Followup, ...]) -> tuple[Followup, ...]:
    """Late ones, oldest date first."""
    return tuple(sorted((one for one in found if one.is_late), key=lambda one: (one.due_on, one.id)))


def statements(asking: Asking, found: tuple[Followup, ...]) -> tuple[Statement, ...]:
    """How many were promised, kept and late; the one that is late longest."""
    if not found:
        return (Statement(SECTION, Word("weekly.say.nothing_promised"), Link("/weekly", asking.query())),)
    behind = late(found)
    words: dict[str, Cell] = {
        "promised": Figure(len(found), "none"), "kept": Figure(sum(one.is_kept is True for one in found), "none"),
        "done": Figure(sum(one.state == "done" for one in found), "none"), "late": Figure(len(behind), "none"),
    }
    link = Link("/weekly", asking.query())
    said = [Statement(SECTION, sentence(Word("weekly.say.promised", words)), link, is_warning=bool(behind))]
    if behind:
        said.append(Statement(SECTION, sentence(Word("weekly.say.late_promise", words_of(behind[0]))), link, is_warning=True))
    return tuple(said)


def words_of(one: Followup) -> dict[str, Cell]:
    """What, who and by when, as a sentence has it."""
    return {"what": short(one.what, MOST_WORDS), "who": short(one.who or one.agency) or None, "due": one.due_on}


def tables(asking: Asking, found: tuple[Followup, ...]) -> tuple[Table, ...]:
    """Every one, whole, with what was last said of it."""
    rows = tuple(_row(asking, one) for one in found)
    return (Table("followups", SECTION, TABLE, rows),) if rows else ()


def _row(asking: Asking, one: Followup) -> Row:
    kept = None if one.is_kept is None else Word(f"weekly.kept.{'yes' if one.is_kept else 'no'}")
    state = Word(f"weekly.state.{'late' if one.is_late else one.state}")
    note = next((event.note for event in reversed(one.events) if event.note), "")
    link = Link("/signals", asking.query(key=one.key)) if one.key in KPI_BY_KEY else None
    return Row((
        one.what, one.agency, one.who, one.due_on, state, one.done_on, kept, Figure(one.moves, "none"),
        Word(f"kpi.{one.key}.label") if one.key in KPI_BY_KEY else None, one.week, note,
    ), link)
