"""Issues a brief: both files made, archived for good with content, revision and hash; or refused with the reason, never a blank."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from briefs.brief import Brief, Issue, compose
from briefs.changes import changes
from briefs.pdf import pdf_of
from briefs.workbook import workbook_of
from metrics.city import City
from metrics.city.weekly.written import said
from metrics.periods import Period
from scope import Forbidden, Scope
from store.briefs import BriefRow, NewBrief, Overtaken, newest_brief, put_brief, read_brief, read_briefs, read_content, read_file
from store.keys import By
from text import t

WRITERS = {"pdf": pdf_of, "xlsx": workbook_of}


class BriefRefused(ValueError):
    """A brief cannot be issued. The shown words are the text of `key` with `words` in it, made for a language by `says`."""

    def __init__(self, key: str, brief: Brief | None = None, **words: object) -> None:
        self.key, self.words, self._brief = key, words, brief
        super().__init__(self.says("en"))

    def says(self, lang: str) -> str:
        """The reason in a language; for missing feeds each with why."""
        missing = self._brief.weekly.missing if self._brief else ()
        feeds = (t("brief.left_out_why", lang, feed=feed.title or feed.feed, why=said(feed.why, lang)) for feed in missing)
        return t(self.key, lang, **self.words, **({"feeds": "; ".join(feeds)} if missing else {}))


@dataclass(frozen=True)
class Papers:
    """A brief and its files; row None = a draft, kept nowhere."""

    brief: Brief
    pdf: bytes
    xlsx: bytes
    row: BriefRow | None = None


def draft(city: City, week: Period, lang: str, form: str) -> tuple[Brief, bytes]:
    """The brief of a week as it stands now for this reader, marked as a draft. Requires see.desk and export; form: pdf | xlsx."""
    city.scope.require("export")
    brief = compose(city, week)
    return brief, WRITERS[form](brief, lang)


def prepare(city: City, week: Period, lang: str, by: By, now: int) -> Papers:
    """Both files of an issue, not kept. Raises BriefRefused naming the feeds when a needed one does not speak for the week."""
    require_whole(city.scope)
    brief = compose(city, week)
    if not brief.weekly.is_over:
        raise BriefRefused("brief.fault_running", week=week.text)
    if brief.weekly.missing:
        raise BriefRefused("brief.fault_missing", brief, week=week.text)
    with city.store.reading() as connection:
        last = newest_brief(connection, week.text, lang)
        before = json.loads(read_content(connection, last.id)) if last else None
        number = 1 + sum(row.lang == lang for row in read_briefs(connection, week.text))
    issue = Issue(by.actor, now, number, last, changes(before, brief.content) if before else None)
    issued = replace(brief, issue=issue)
    return Papers(issued, pdf_of(issued, lang), workbook_of(issued, lang))


def issue(city: City, week: Period, lang: str, by: By, now: int) -> Papers:
    """Issue the brief of a week: made, archived, audited as brief.issue. Requires issue.briefs and a reader of the whole province.

    Raises BriefRefused; then nothing is kept.
    """
    city.scope.require("issue.briefs")
    papers = prepare(city, week, lang, by, now)
    brief = papers.brief
    last = brief.issue.replaces if brief.issue else None
    new = NewBrief(
        week.text, lang, brief.weekly.as_of, brief.weekly.revision, brief.sha256, brief.json, papers.pdf, papers.xlsx,
        last.id if last else None,
    )
    try:
        return replace(papers, row=put_brief(city.store, new, by, now))
    except Overtaken as fault:
        raise BriefRefused("brief.fault_overtaken", week=week.text) from fault


def briefs(city: City, week: str = "") -> tuple[BriefRow, ...]:
    """The issued briefs, newest first: week, language, who, when, revision, hash. Requires see.desk."""
    city.scope.require("see.desk")
    with city.store.reading() as connection:
        return read_briefs(connection, week)


def archived(city: City, brief_id: int, form: str) -> tuple[BriefRow, bytes]:
    """An issued brief as it was, byte by byte. KeyError for none. Requires export and a reader of the whole province, small counts too."""
    require_whole(city.scope)
    for permission in ("see.desk", "see.small_counts", "export"):
        city.scope.require(permission)
    with city.store.reading() as connection:
        row = read_brief(connection, brief_id)
        if row is None:
            raise KeyError(f"no brief {brief_id}")
        return row, read_file(connection, brief_id, form)


def require_whole(scope: Scope) -> None:
    """An issued brief is the whole province's: Forbidden for who sees a part of it."""
    if scope.is_limited:
        raise Forbidden("issue.briefs", scope.actor)
