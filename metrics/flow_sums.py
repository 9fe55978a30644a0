"""The day roll-ups of flows, and the SELECT that sums their sources for the cells of a round (temporary table fold_cells).

Two texts with one meaning, for what is fast differs: tests fold the same rows on both engines.
"""

from __future__ import annotations

from dataclasses import dataclass

from metrics.flows import DOSSIER_DAY, REPORT_DAY, FlowSource
from store.schema import DOSSIER_FLOWS, REPORT_FLOWS


@dataclass(frozen=True)
class Rollup:
    """One flow roll-up: its cell key, the flows it sums and their sources."""

    topic: str
    table: str
    keys: tuple[tuple[str, str], ...]  # (key column of the roll-up and of the core row, k-column of the log)
    flows: tuple[str, ...]
    sources: tuple[FlowSource, ...]


ROLLUPS = (
    Rollup("dossiers", "rollup_dossier_day", (("agency_code", "k1"), ("domain_code", "k2")), DOSSIER_FLOWS, DOSSIER_DAY),
    Rollup(
        "reports", "rollup_report_day", (("agency_code", "k1"), ("area_code", "k2"), ("category_code", "k3")),
        REPORT_FLOWS, REPORT_DAY,
    ),
)


def side_by_side(rollup: Rollup) -> str:
    """Each source's flows of a cell looked up and counted for that cell, then put in one row: no grouping at all. PostgreSQL alone
    can; there it takes six tenths of the time of `stacked`."""
    told, found = [], {flow: list[str]() for flow in rollup.flows}
    for number, source in enumerate(rollup.sources):
        counts = [f"{_counted(source, flow)} AS {flow}" for flow in rollup.flows if source.feeds(flow)]
        told.append(f"CROSS JOIN LATERAL (SELECT {', '.join(counts)} FROM {source.table} r WHERE {_of_cell(rollup, source)}) s{number}")
        for flow in rollup.flows:
            if source.feeds(flow):
                found[flow].append(f"s{number}.{flow}")
    sums = ", ".join(f"CAST({' + '.join(parts)} AS BIGINT) AS {flow}" for flow, parts in found.items())
    cells = f"SELECT c.bucket AS day, {', '.join(f'c.{key}' for key, _ in rollup.keys)}, {sums} FROM fold_cells c {' '.join(told)}"
    return f"SELECT * FROM ({cells}) cells WHERE {' + '.join(rollup.flows)} > 0"


def stacked(rollup: Rollup) -> str:
    """Each source's flows summed per cell, one source upon another, then summed again."""
    keys, parts = [column for column, _ in rollup.keys], []
    cell = ", ".join(f"c.{key}" for key in ("bucket", *keys))
    for source in rollup.sources:
        counts = ", ".join(f"{_counted(source, flow) if source.feeds(flow) else 0} AS {flow}" for flow in rollup.flows)
        # CROSS JOIN: from the cells into the source's index, whatever the statistics say
        rows = f"fold_cells c CROSS JOIN {source.table} r WHERE {_of_cell(rollup, source)}"
        parts.append(f"SELECT {cell}, {counts} FROM {rows} GROUP BY {cell}")
    columns = ", ".join(keys)
    sums = ", ".join(f"sum({flow}) AS {flow}" for flow in rollup.flows)
    anything = " + ".join(f"sum({flow})" for flow in rollup.flows)
    flows = " UNION ALL ".join(parts)
    return f"SELECT bucket AS day, {columns}, {sums} FROM ({flows}) flows GROUP BY bucket, {columns} HAVING {anything} > 0"


def _of_cell(rollup: Rollup, source: FlowSource) -> str:
    return " AND ".join((f"r.{source.day} = c.bucket", *(f"r.{key} = c.{key}" for key, _ in rollup.keys), source.where))


def _counted(source: FlowSource, flow: str) -> str:
    """SQL for a flow of a cell's rows of a source."""
    if flow in source.amounts:
        condition, amount = source.amounts[flow]
        return f"coalesce(sum({amount}) FILTER (WHERE {condition}), 0)"
    return f"count(*) FILTER (WHERE {source.columns[flow]})"
