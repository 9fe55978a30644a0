"""The kinds of columns that tables of the store are made of, and the metadata they belong to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData()
# SQLite gives automatic numbers only to INTEGER keys; PostgreSQL wants BIGINT.
Sequence: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")


def text_column(name: str, *, null: bool = False) -> Column[str]:
    """A text; '' where it is missing, unless it may be null."""
    return Column(name, Text, nullable=null, server_default=None if null else "")


def at_column(name: str) -> Column[int]:
    """An instant."""
    return Column(name, BigInteger)


def on_column(name: str) -> Column[int]:
    """A day number."""
    return Column(name, Integer)


def count_column(name: str) -> Column[int]:
    """A sum or count that is never unknown."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def number_column(name: str) -> Column[int]:
    """A key the database numbers itself."""
    return Column(name, Sequence, Identity(), primary_key=True)
