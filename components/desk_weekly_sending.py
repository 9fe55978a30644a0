"""How the brief of a week stands with those it is mailed to: one line below the issued ones. Pure: values -> components."""

from __future__ import annotations

from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from store.sending import Sending
from text import t
from text.formats import instant, number


def sending_line(view: View, sending: Sending | None, tz: tzinfo) -> Component | None:
    """Sent to how many and when; how many wait or are lost; or held since when and why. Never an address; None = nothing to be sent."""
    if sending is None:
        return None
    lang, parts = view.lang, []
    if sending.held_at is not None:
        parts.append(("held", t("weekly.sending.held", lang, at=instant(sending.held_at, tz, lang), why=sending.held_why)))
    if sending.sent:
        at = instant(sending.sent_at, tz, lang)
        parts.append(("sent", t("weekly.sending.sent", lang, n=number(sending.sent, lang, 0), at=at)))
    if sending.waiting:
        at = instant(sending.next_at, tz, lang)
        parts.append(("waiting", t("weekly.sending.waiting", lang, n=number(sending.waiting, lang, 0), at=at)))
    if sending.lost:
        parts.append(("lost", t("weekly.sending.lost", lang, n=number(sending.lost, lang, 0))))
    return html.P([html.Span(words, **{"data-sending": key}) for key, words in _dotted(parts)], className="d-quiet d-w-sending")


def _dotted(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key, words if at == 0 else f" · {words}") for at, (key, words) in enumerate(parts)]
