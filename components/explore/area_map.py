"""The small map of /explore: each area is a link cut to its polygon, so that it is clicked, tabbed to, printed and read aloud like any.

No map library and no picture from outside: polygons are CSS clip-paths in percent of the frame, the borders one SVG used as a mask.
"""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.explore.bars import scale
from components.explore.state import State, here, is_chosen, toggled
from components.explore.words import measure_name, value_words
from components.maps import sovereignty
from components.polygons import STEPS, Cut, Drawing, drawing_of, heat_step
from metrics.city.areas import AreaShape
from metrics.city.explore.question import Answer, Row
from text import t


def area_map(state: State, areas: Sequence[AreaShape], answer: Answer) -> Component | None:
    """The measure by area; None in a city without polygons or whose rows lie nowhere: the table shows the same."""
    drawing, rows = drawing_of(areas), {row.groups[0]: row for row in answer.rows}
    if drawing is None or not any(cut.code in rows for cut in drawing.cuts):
        return None  # nothing of it lies in a place: a grey map tells less than none
    names = {area.code: area.full_name or area.name for area in areas}
    most = _most(state, answer)
    any_chosen = any(is_chosen(state, "area", cut.code) for cut in drawing.cuts)
    places = [_area(state, cut, names[cut.code], rows.get(cut.code), most) for cut in drawing.cuts]
    words = {key: t(f"wall.{key}", state.lang) for key in ("hoang_sa", "truong_sa", "bien_dong")}
    labels = [_label(drawing, one.lon, one.lat, one.text) for one in sovereignty(drawing.bounds, words)]
    borders = html.Span(className="d-x-borders", style={"--map": drawing.borders}, **{"aria-hidden": "true"})
    frame = html.Div(
        [*places, borders, *labels],
        className="d-x-map",
        role="group",
        style={"--ratio": f"{drawing.ratio:.3f}"},
        **{
            "aria-label": t("explore.map_of", state.lang, name=measure_name(state.measure, state.lang)),
            "data-chosen": "1" if any_chosen else "",
        },
    )
    return html.Div([frame, _legend(state, most)], className="d-x-mapped")


def _most(state: State, answer: Answer) -> float:
    """What the strongest colour stands for: the highest value, of a share too, so that areas differ."""
    known = [abs(row.figures[0].value) for row in answer.rows if row.figures[0].value is not None and row.groups[0]]
    return max(known, default=0.0) or scale(state, [])


def _area(state: State, cut: Cut, name: str, row: Row | None, most: float) -> Component:
    value = row.figures[0].value if row else 0.0 if state.measure.adds_up else None  # of what is counted there is none
    on = is_chosen(state, "area", cut.code)
    told = f"{name}: {value_words(state.measure, value, state.lang)}"
    marks = {"data-step": str(_step(value, most)), "data-chosen": "1" if on else "", **({"aria-current": "true"} if on else {})}
    tip = html.Span(told, className="d-unseen")
    return here(tip, toggled(state, "area", cut.code), "d-x-area", f"area:{cut.code}", title=told, style=cut.style, **marks)


def _step(value: float | None, most: float) -> int:
    """Colour step of a value; -1 = not known."""
    return -1 if value is None else heat_step(abs(value), most)


def _legend(state: State, most: float) -> Component:
    """From none to the highest; what is not known."""
    words = [value_words(state.measure, bound, state.lang, is_short=True) for bound in (0.0, most)]
    swatches = [html.Span(className="d-x-swatch", **{"data-step": str(step)}) for step in range(STEPS)]
    return html.P(
        [
            html.Span(words[0]),
            html.Span(swatches, className="d-x-swatches", **{"aria-hidden": "true"}),
            html.Span(words[1]),
            html.Span([html.Span(className="d-x-swatch", **{"data-step": "-1"}), t("explore.no_figure", state.lang)], className="d-x-none"),
        ],
        className="d-x-legend",
    )


def _label(drawing: Drawing, lon: float, lat: float, words: str) -> Component:
    west, south, east, north = drawing.bounds
    place = {"left": f"{100 * (lon - west) / (east - west):.1f}%", "top": f"{100 * (north - lat) / (north - south):.1f}%"}
    return html.Span(words, className="d-x-sea", style=place)
