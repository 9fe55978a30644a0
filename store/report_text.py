"""What citizens and offices wrote, without accents, so that a search finds it: one line of words a report.

Read only by readers of free text (metrics/city/lists/searched.py). The store's triggers take the words out with the text they are of.
"""

from __future__ import annotations

import re

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, Table, Text, text

from store.columns import metadata
from text.vietnamese import fold

_WORD = re.compile(r"\w+")
report_text = Table(
    "core_report_text", metadata, Column("feed", Text), Column("source_id", Text), Column("words", Text, nullable=False),
    PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
)


def words_of(*texts: str | None) -> str:
    """The words of texts, lower case without accents, each with a space before it; '' of none.

    >>> words_of("Kẹt xe, ngập!", None)
    ' ket xe ngap'
    """
    return "".join(f" {word}" for one in texts if one for word in _WORD.findall(fold(one)))


def put_words(connection: Connection, feed: str, stage: str) -> None:
    """Keep the words of the staged reports of a feed (columns source_id, description, resolution) in place of those before."""
    rows = connection.execute(text(f"SELECT source_id, description, resolution FROM {stage}")).all()
    found = [{"feed": feed, "id": row[0], "words": words} for row in rows if (words := words_of(row[1], row[2]))]
    if found:
        connection.execute(
            text(
                "INSERT INTO core_report_text (feed, source_id, words) VALUES (:feed, :id, :words) "
                "ON CONFLICT (feed, source_id) DO UPDATE SET words = excluded.words"
            ),
            found,
        )
