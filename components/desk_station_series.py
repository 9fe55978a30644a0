"""One value of a station over time, drawn: mean with lowest and highest, limits, doubted readings; and the days it spoke on. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_stations import decimals
from components.drawing import HEIGHT, Span, dates, legend, level, path, picture
from metrics.city import City
from metrics.city.measured.station_series import Bound, DayHeard, Series, SeriesPoint
from store.days import HOUR
from text import t
from text.formats import MISSING, day, number, percent

_NEAR = 3.0  # a limit so many times above all values is told, but does not flatten them
_FULL, _SOME = 0.95, 0.5


def series_picture(city: City, lang: str, series: Series, measure_unit: str) -> Component | None:
    """The line of means over its band; None with fewer than two of them."""
    known = [point for point in series.points if point.mean is not None]
    if len(known) < 2:
        return None
    span, (low, high) = Span(series.start_at, series.end_at), _range(series, known)

    def y(value: float) -> float:
        return HEIGHT * (1 - (value - low) / (high - low))

    runs = _runs(series)
    drawn = [bound for bound in series.bounds if low <= bound.value <= high]
    layers = {
        "band": "".join(_band(span, series.step, run, y) for run in runs),
        "limit": "".join(level(y(bound.value)) for bound in drawn),
        "line": "".join(path([(span.x(point.at + series.step // 2), y(point.mean or 0.0)) for point in _joined(run)], 2) for run in runs),
        "flagged": _flags(span, series),
    }
    lowest, highest = (number(value, lang, decimals(value)) for value in _extremes(known))
    words = t("series.words", lang, low=lowest, high=highest, unit=measure_unit, n=number(len(known), lang, 0))
    far = [bound for bound in series.bounds if bound not in drawn]
    beyond = [t("series.beyond", lang, words=_bound_words(bound, measure_unit, lang)) for bound in far]
    labels = [
        html.Span(number(value, lang, decimals(value)) if value else "0", style={"bottom": f"{100 * (value - low) / (high - low):.2f}%"})
        for value in _labelled(low, high, [bound.value for bound in drawn])
    ]
    keys = [("line", t("series.mean_day" if series.step > HOUR else "series.mean_hour", lang)),
            *([("band", t("series.band", lang))] if any(point.low != point.high for point in known) else [])]
    keys += [("limit", _bound_words(bound, measure_unit, lang)) for bound in drawn]
    keys += [("flagged", t("series.flagged", lang))] if layers["flagged"] else []
    levels = html.Div(labels, className="r-levels", **{"aria-hidden": "true"})
    chart = html.Div([levels, picture(layers, [], words, "r-series")], className="r-chart")
    return html.Div([chart, dates(span, city.config.tz), legend(keys), html.P(" ".join([words, *beyond]), className="d-quiet")],
                    className="r-figure")


def _bound_words(bound: Bound, measure_unit: str, lang: str) -> str:
    return t(f"bound.{bound.key}", lang, value=number(bound.value, lang), unit=measure_unit)


def _extremes(known: Sequence[SeriesPoint]) -> tuple[float, float]:
    return min(point.low for point in known if point.low is not None), max(point.high for point in known if point.high is not None)


def _range(series: Series, known: Sequence[SeriesPoint]) -> tuple[float, float]:
    """Lowest and highest value drawn: all values, and limits that are near them; never less than a ripple's room."""
    low, high = _extremes(known)
    reach = max(high, 0.0) * _NEAR
    high = max(high, *(bound.value for bound in series.bounds if bound.value <= reach), high)
    low = min(low, 0.0) if low >= 0 and low < 0.5 * high else low
    room = max(high - low, 0.1 * max(abs(high), abs(low)), 1e-9)
    return low, low + room * 1.06


def _labelled(low: float, high: float, bounds: Sequence[float]) -> list[float]:
    """Values on the left edge, where they do not lie on one another: limits first."""
    found: list[float] = []
    for value in (*bounds, low, low + (high - low) / 1.06):
        if all(abs(value - other) > 0.09 * (high - low) for other in found):
            found.append(value)
    return found


def _runs(series: Series) -> list[list[SeriesPoint]]:
    """Points in a row; a gap of more than two steps, or a point without a sound reading, ends one."""
    runs: list[list[SeriesPoint]] = [[]]
    for point in series.points:
        if point.mean is None:
            runs.append([])
            continue
        if runs[-1] and point.at - runs[-1][-1].at > 2.5 * series.step:
            runs.append([])
        runs[-1].append(point)
    return [run for run in runs if run]


def _joined(run: Sequence[SeriesPoint]) -> list[SeriesPoint]:
    """A lone point is drawn as a short dash."""
    return [run[0], run[0]] if len(run) == 1 else list(run)


def _band(span: Span, step: int, run: Sequence[SeriesPoint], y: object) -> str:
    upper = " ".join(f"{span.x(point.at + step // 2):.1f},{y(point.high):.1f}" for point in run)  # type: ignore[operator]
    lower = " ".join(f"{span.x(point.at + step // 2):.1f},{y(point.low):.1f}" for point in reversed(run))  # type: ignore[operator]
    return f'<polygon points="{upper} {lower}"/>'


def _flags(span: Span, series: Series) -> str:
    """A mark at the top for each point with readings that are not believed."""
    width = max(4.0, span.x(span.start_at + series.step))
    return "".join(
        f'<rect x="{span.x(point.at):.1f}" y="0" width="{width:.1f}" height="14"/>' for point in series.points if point.flagged
    )


def uptime_strip(lang: str, days: Sequence[DayHeard]) -> Component:
    """A cell a day: most hours with data, some, few, none."""
    cells = [html.Span(className="r-day", title=_day_words(lang, one), **{"data-share": _share_class(one)}) for one in days]
    counted = [one for one in days if one.expected]
    silent = sum(one.heard == 0 for one in counted)
    words = t("uptime.strip", lang, n=number(len(counted), lang, 0), silent=number(silent, lang, 0))
    keys = legend([(f"day-{key}", t(f"uptime.{key}", lang)) for key in ("full", "some", "few", "none")])
    strip = html.Div(cells, className="r-days", role="img", **{"aria-label": words})
    return html.Div([strip, keys, html.P(words, className="d-quiet")], className="r-figure")


def _day_words(lang: str, one: DayHeard) -> str:
    share = percent(100 * one.heard / one.expected, lang, 0) if one.expected else MISSING
    return t("uptime.day", lang, day=day(one.on, lang), share=share)


def _share_class(one: DayHeard) -> str:
    if not one.expected:
        return "before"
    share = one.heard / one.expected
    return "none" if share == 0 else "full" if share >= _FULL else "some" if share >= _SOME else "few"
