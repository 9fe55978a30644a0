"""Stage tables: a batch is copied into a temporary table, then set-based SQL does the rest, the same text on both engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite


def fill_stage(connection: Connection, name: str, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Put rows into the temporary table `name`, made anew with `columns` typed as in `table`; its key is analysed on PostgreSQL.

    Without the ANALYZE the planner joins the whole core table (measured: a quarter of the speed).
    """
    make_stage(connection, name, table, columns)
    put_rows(connection, name, columns, rows)
    analyse_stage(connection, name, table, columns)


def make_stage(connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
    """The temporary table `name` made anew, empty."""
    dialect = sqlite.dialect() if connection.dialect.name == "sqlite" else postgresql.dialect()
    shape = ", ".join(f"{column} {table.c[column].type.compile(dialect)}" for column in columns)
    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} ({shape})"))


def analyse_stage(connection: Connection, name: str, table: Table, columns: Sequence[str]) -> None:
    """Tell PostgreSQL's planner how many rows there are, and about their key."""
    if connection.dialect.name != "sqlite":
        keys = [column for column in columns if table.c[column].primary_key] or list(columns)
        connection.execute(text(f"ANALYZE {name} ({', '.join(keys)})"))


def put_rows(connection: Connection, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a table the fastest way its engine has."""
    raw = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            raw.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", list(rows))
        else:
            with raw.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    finally:
        raw.close()


def temporary(connection: Connection, name: str, select: str, *, is_joined: bool = True) -> None:
    """Make the temporary table `name` anew; it is gone with the transaction on PostgreSQL. Utility statements take no bound values.

    One that is joined to others is analysed there.
    """
    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"CREATE TEMPORARY TABLE {name} AS {select}"))
    else:
        connection.execute(text(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {select}"))
        if is_joined:
            connection.execute(text(f"ANALYZE {name}"))


class Runner:
    """Runs statements with the same few parameters; unused ones are left out."""

    def __init__(self, connection: Connection, values: Mapping[str, Any]) -> None:
        self.connection = connection
        self.values = dict(values)

    def __call__(self, statement: str) -> int:
        """The number of rows the statement touched."""
        used = {name: value for name, value in self.values.items() if f":{name}" in statement}
        return self.connection.execute(text(statement), used).rowcount
