"""KPIs of working time that no sum of all dossiers gives: the mean of the procedures and domains the city file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from metrics.city.numbers.asked import Answers, Asked
from metrics.city.numbers.sums import conditions
from metrics.kpis.row import Answer
from metrics.kpis.working_time import MICRO, mean_days
from metrics.periods import Period

INVESTMENT = "investment_lead_days_mean"


def _investment_lead(asked: Asked, period: Period) -> Answer:
    """Mean working days of dossiers finished in the period: whole domains from the roll-up, other procedures from their rows."""
    chosen = asked.city.config.kpi_choices.get(INVESTMENT)
    if chosen is None:
        return None, 0
    microdays, n = 0, 0
    from_days = ("rollup_dossier_day", "day", "sum(worked_microdays), sum(worked_n)")
    from_rows = ("core_dossier_time", "finished_on", f"sum(worked_s * {MICRO} / day_s), count(*)")
    for (table, day, sums), column, codes, others in (
        (from_days, "domain_code", chosen.domains, ()), (from_rows, "procedure_code", chosen.procedures, chosen.domains),
    ):
        if not codes:
            continue
        where, values = conditions(asked.city.scope, "dossiers", asked.choice)
        values["start"], values["end"] = asked.days(period)
        where = _named(column, codes, "code", values) + where
        if others:  # of a domain named too: counted above
            where += f" AND NOT {_named('domain_code', others, 'other', values)}"
        days = f"{day} IS NOT NULL AND {day} BETWEEN :start AND :end"  # said twice, or SQLite does not see the partial index
        found = asked.connection.execute(text(f"SELECT {sums} FROM {table} WHERE {days} AND {where}"), values).one()
        microdays, n = microdays + int(found[0] or 0), n + int(found[1] or 0)
    return mean_days(microdays, n)


def _named(column: str, codes: Sequence[str], name: str, values: dict[str, Any]) -> str:
    values |= {f"{name}_{number}": code for number, code in enumerate(codes)}
    return f"{column} IN ({', '.join(f':{name}_{number}' for number in range(len(codes)))})"


WORKING_TIME_ANSWERS: Answers = {INVESTMENT: _investment_lead}
