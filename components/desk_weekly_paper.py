"""The paper of the leaders' week on its page: drafts to take along, the button that issues, the briefs issued so far.

Pure: values -> components. What an issue changed is a table of the brief like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_weekly import week_table
from components.desk_weekly_followups import actor_name
from components.desk_weekly_forms import opener
from metrics.city import City
from metrics.city.weekly.parts import Table
from store.briefs import FORMS, BriefRow
from text import t
from text.formats import instant

SHORT_HASH = 12


@dataclass(frozen=True)
class Issued:
    """A brief as it was issued, and what it says otherwise than the one it replaces; None = it replaces none."""

    row: BriefRow
    changed: Table | None


def papers(city: City, view: View, rows: Sequence[Issued], *, may_issue: bool) -> list[Component | None]:
    """PDF and XLSX of the week as it stands, the way to issue it, the newest issue."""
    lang = view.lang
    query = f"?period={view.period.text}&lang={lang}"
    drafts = [
        html.A(form.upper(), href=f"/api/v1/weekly.{form}{query}", className="d-button d-export", download="",
               title=t("weekly.page.draft", lang, form=form.upper()))
        for form in FORMS
    ]
    return [
        html.Div(drafts, className="d-exports") if city.scope.permits("export") else None,
        opener(view, "issue", "issue", t("weekly.do.issue", lang)) if may_issue else None,
        html.A(_issued_words(rows[0].row, view.lang, city.config.tz), href="#issued", className="d-w-newest") if rows else None,
    ]


def issued_section(city: City, view: View, rows: Sequence[Issued]) -> Component | None:
    """Briefs of the week, newest first: who, when, of which data, its hash, its files, what it changed; None without any."""
    if not rows:
        return None
    items = [html.Li(_issued(city, view, one, city.config.tz), **{"data-brief": str(one.row.id)}) for one in rows]
    title = html.Div(html.H2(t("weekly.page.issued", view.lang)), className="d-w-title")
    return html.Section([title, html.Ul(items, className="d-w-issued")], className="d-w-section", id="issued", tabIndex="-1")


def _issued_words(row: BriefRow, lang: str, tz: tzinfo) -> str:
    return t("weekly.page.issued_by", lang, who=actor_name(row.issued_by, lang), at=instant(row.issued_at, tz, lang))


def _issued(city: City, view: View, one: Issued, tz: tzinfo) -> list[Component]:
    lang, row = view.lang, one.row
    words = _issued_words(row, lang, tz)
    about = [
        html.Span(t("desk.as_of", lang, at=instant(row.as_of, tz, lang))), html.Span(t("desk.revision", lang, revision=row.revision)),
        html.Span(["SHA-256 ", html.Code(row.sha256[:SHORT_HASH], title=row.sha256)]), html.Span(t(f"language.{row.lang}", lang)),
    ]
    files = [
        html.A(form.upper(), href=f"/api/v1/briefs/{row.id}.{form}", className="d-button d-export", download="") for form in FORMS
    ]
    found: list[Component] = [html.Div([html.B(words), *about], className="d-w-about")]
    if city.scope.permits("export") and city.scope.permits("see.small_counts"):
        found.append(html.Div(files, className="d-exports"))
    if one.changed is not None:
        found.append(week_table(city, view, one.changed, has_files=False))
    return found
