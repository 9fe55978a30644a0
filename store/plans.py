"""Plans of the statements a question sends: which of them read a big table from end to end. For doctor and the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from store.engine import Store

BIG = (
    "core_dossier_version", "core_dossier_stop", "core_dossier_time", "core_dossier", "core_report_version", "core_report", "core_reading",
)
PARTITIONS = rf"({'|'.join(BIG)})(_\d+)?"  # readings lie in one a month
# indexes of the rows that are open: reading one whole is reading what was asked for
PARTIAL = ("ix_dossier_open", "ix_dossier_running", "ix_dossier_outside", "ix_report_open", "ix_report_place_open")


@dataclass(frozen=True)
class Plan:
    """A statement and how the engine says it runs it, a line per step."""

    statement: str
    steps: str

    def whole_reads(self) -> list[str]:
        """Steps that read a big table, or a whole index that is not a partial one, from end to end."""
        names = {name for name in BIG if re.search(rf"\b{name}\b", self.statement)}
        aliases = names | {
            alias
            for name in names
            for alias in re.findall(rf"\b{name}\s+(?:AS\s+)?(\w+)", self.statement)
            if alias not in ("WHERE", "SET")
        }
        found = []
        for line in self.steps.splitlines():
            on_sqlite = re.match(r"SCAN (\w+)", line.strip())
            on_postgres = re.search(r"Seq Scan on (\w+)", line)
            is_partial = any(f"INDEX {name}" in line for name in PARTIAL)
            if on_postgres and re.fullmatch(PARTITIONS, on_postgres[1]):
                found.append(line)
            if on_sqlite and on_sqlite[1] in aliases and not is_partial:
                found.append(line)
        return found


@contextmanager
def explained(store: Store) -> Iterator[list[Plan]]:
    """Explain every statement on big tables that is sent inside the block, just before it runs, on its own connection."""
    plans: list[Plan] = []
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "

    def before(connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        statement = re.sub(r"^CREATE TEMPORARY TABLE .*? AS (?=SELECT)", "", statement)  # what a round of the fold is computed by
        is_plain = statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")) and not many
        if is_plain and any(name in statement for name in BIG):
            raw = connection.connection.cursor()
            raw.execute(explain + statement, parameters)
            plans.append(Plan(statement, "\n".join(str(row[-1]) for row in raw.fetchall())))
            raw.close()

    event.listen(store.engine, "before_cursor_execute", before)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", before)
