"""One period of a question as a sheet of sums: flows per cell, and stocks at the end of each part counted back from now."""

from __future__ import annotations

from collections.abc import Mapping

from metrics.city.explore.cells import Asking, Cells, Groups, flows_of, stocks_of
from metrics.city.explore.measures import Needs
from metrics.city.explore.question import TOTAL
from metrics.city.explore.table import Sheet
from metrics.city.numbers.sums import HORIZON, NET, net

Stocks = dict[Groups, tuple[int | None, ...]]


def read_sheet(asking: Asking, needs: Needs) -> Sheet:
    """Flows of the parts and, where a formula asks for one, the stocks at their ends."""
    parts, wanted = asking.parts, wanted_flows(asking, needs)
    cells = flows_of(asking, wanted, parts.start_on, parts.end_on)
    if not needs.stocks:
        return Sheet(wanted, (), cells, {})
    later = flows_of(asking, needs.net, parts.end_on + 1, HORIZON, timed=False) if asks_later(asking) else {}
    return Sheet(wanted, needs.stocks, cells, _stocks(asking, needs, wanted, cells, later))


def wanted_flows(asking: Asking, needs: Needs) -> tuple[str, ...]:
    """The flows to read of the period itself: those by which a stock moves only where its course is asked for."""
    has_course = any(row.kind == "time" for row in asking.dimensions)
    return needs.read if needs.stocks and has_course else needs.flows


def asks_later(asking: Asking) -> bool:
    """Does a stock have to be counted back from now? Of a period that is not over only where earlier parts are asked for."""
    has_course = any(row.kind == "time" for row in asking.dimensions)
    return has_course or asking.parts.end_on < asking.city.today_on


def _stocks(asking: Asking, needs: Needs, names: tuple[str, ...], cells: Cells, later: Cells) -> Stocks:
    """Stocks at the end of every part, per group of the other dimensions; with TOTAL in the place of time: at the period's end."""
    now = stocks_of(asking, needs.stocks)
    place = next((number for number, row in enumerate(asking.dimensions) if row.kind == "time"), None)
    by_part = _per_part(cells, place)
    timeless = now.keys() | later.keys() | {groups for _, groups in by_part}
    ends, today = asking.parts.ends(), asking.city.today_on
    found: Stocks = {}
    for groups in timeless:
        stock = dict(zip(needs.stocks, now.get(groups, (0,) * len(needs.stocks)), strict=True))
        after = dict(zip(needs.net, later.get(groups, (0,) * len(needs.net)), strict=True))
        for number in range(len(ends) - 1, -1, -1):
            if ends[number] < today:  # what has happened since its end goes back; what is dated after today too
                _step_back(asking.topic, stock, after)
                after = dict.fromkeys(needs.net, 0)
            told = _told(needs, stock, is_now=ends[number] >= today)
            if number == len(ends) - 1:
                found[_placed(groups, place, TOTAL)] = told
            if place is None:
                break
            found[_placed(groups, place, asking.parts.parts[number].text)] = told
            flows = by_part.get((asking.parts.parts[number].text, groups))
            for name, value in zip(names, flows or (), strict=False):
                if name in after:
                    after[name] += value
    return found


def _per_part(cells: Cells, place: int | None) -> Mapping[tuple[str, Groups], tuple[int, ...]]:
    if place is None:
        return {("", groups): values for groups, values in cells.items()}
    return {(groups[place], groups[:place] + groups[place + 1 :]): values for groups, values in cells.items()}


def _placed(groups: Groups, place: int | None, group: str) -> Groups:
    return groups if place is None else (*groups[:place], group, *groups[place:])


def _step_back(topic: str, stock: dict[str, int], flows: Mapping[str, int]) -> None:
    for name in stock:
        if name in NET[topic]:
            stock[name] -= net(topic, name, flows)


def _told(needs: Needs, stock: Mapping[str, int], *, is_now: bool) -> tuple[int | None, ...]:
    """The stocks as a formula has them: those with a due date are the rest of the others, due soon is known of now alone."""
    found: dict[str, int | None] = dict(stock)
    if "open_due" in found:
        found["open_due"] = stock["open"] - stock["open_no_due"]
    if "due_2wd" in found and not is_now:
        found["due_2wd"] = None
    return tuple(found[name] for name in needs.stocks)


