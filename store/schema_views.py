"""The tables of what people keep of a page: views under a name, and figures as they were shown."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, false

from store.columns import metadata, number_column, text_column

# query: of the page's address, canonical; owner: an actor; removed_at: put away, kept for the undo
view = Table(
    "ops_view", metadata, number_column("id"), text_column("path"), text_column("query"), text_column("name"), text_column("owner"),
    Column("is_shared", Boolean, nullable=False, server_default=false()), Column("made_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False), Column("removed_at", BigInteger),
)
Index("ix_view_owner", view.c.path, view.c.owner)
# sha256: of path, query, language, rights and content; rights: whose eyes the content is for (metrics/city/shown.py). Rows are only added.
shown = Table(
    "ops_shown", metadata, Column("sha256", Text, primary_key=True), text_column("path"), text_column("query"), text_column("lang"),
    text_column("rights"), text_column("content"), text_column("made_by"), Column("made_at", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False), Column("revision", BigInteger, nullable=False),
)
Index("ix_shown_made", shown.c.made_by, shown.c.made_at)
