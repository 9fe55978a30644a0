"""The table of models that say which open dossiers may miss their due date. The newest row holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from store.columns import metadata, number_column

# as_of: the city's clock it was learned at; dossiers: how many taught it, 0 = too little was known; body: JSON (metrics/at_risk/kept.py)
risk_model = Table(
    "ops_risk_model", metadata, number_column("id"), Column("learned_at", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False), Column("dossiers", Integer, nullable=False), Column("body", Text, nullable=False),
)
