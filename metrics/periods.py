"""Named stretches of province days: parse_period, the comparable period before, the days and weeks inside.

Pure dates, both ends inclusive; weeks are ISO weeks (Monday first). "Today" is an argument: the city's day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

ACCEPTED = (
    "2026-11-20, 2026-W46, 2026-11, 2026-Q4, 2026-AM11, 2026-AQ4, 2026-AH1, 2026-A9M, 2026-AY, 2026-YTD, 2026, "
    "2026-11-01..2026-11-20, "
    "today, yesterday, this_week, last_week, this_month, last_month, last_7d, last_30d, last_12w"
)
RELATIVE_WORDS = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "last_7d",
    "last_30d",
    "last_12w",
)
KINDS = (
    "day", "week", "month", "quarter", "admin_month", "admin_quarter", "admin_half", "admin_nine_months", "admin_year", "ytd", "year",
    "range",
)
YEARS = range(1970, 2200)  # a mistyped year is refused rather than answered with nothing
_EPOCH = date(1970, 1, 1)
_ONE_DAY = timedelta(days=1)
_ONE_WEEK = timedelta(days=7)
# an administrative month ends on the 14th, and so do quarter, half-year, nine months and year
# (Decree 09/2019/NĐ-CP art. 12; to be verified, domain open point 3)
_ADMIN_LAST_DAY = 14
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FORMS = (
    ("day", re.compile(_DAY)),
    ("week", re.compile(r"([0-9]{4})-W([0-9]{2})")),
    ("month", re.compile(r"([0-9]{4})-([0-9]{2})")),
    ("quarter", re.compile(r"([0-9]{4})-Q([1-4])")),
    ("admin_month", re.compile(r"([0-9]{4})-AM([0-9]{2})")),
    ("admin_quarter", re.compile(r"([0-9]{4})-AQ([1-4])")),
    ("admin_half", re.compile(r"([0-9]{4})-AH([12])")),
    ("admin_nine_months", re.compile(r"([0-9]{4})-A9M")),
    ("admin_year", re.compile(r"([0-9]{4})-AY")),
    ("ytd", re.compile(r"([0-9]{4})-YTD")),
    ("year", re.compile(r"([0-9]{4})")),
    ("range", re.compile(rf"({_DAY})\.\.({_DAY})")),
)
# how long the kinds that follow the calendar are, and what follows the year in their text
_MONTHS: Mapping[str, tuple[int, str]] = {
    "month": (1, "-{:02}"), "quarter": (3, "-Q{}"), "year": (12, ""), "admin_month": (1, "-AM{:02}"), "admin_quarter": (3, "-AQ{}"),
    "admin_half": (6, "-AH{}"), "admin_nine_months": (9, "-A9M"), "admin_year": (12, "-AY"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """Days start_on..end_on, both included. text is the absolute form parse_period reads back.

    kind: one of KINDS. is_cut: only a part of a period of this kind, never to be set beside a full one.
    """

    text: str
    kind: str
    start_on: date
    end_on: date
    is_cut: bool = False

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.end_on - self.start_on).days + 1

    def is_partial(self, today: date) -> bool:
        """True while its last day is not over."""
        return today <= self.end_on

    def year_before(self) -> Period:
        """The same period of the year before, whole. Days, weeks and ranges keep their weekdays: 52 weeks back; a week its number."""
        if self.kind in ("day", "range"):
            return _range_or_day(self.start_on - 52 * _ONE_WEEK, self.end_on - 52 * _ONE_WEEK)
        if self.kind == "ytd":
            return self.previous()
        if self.kind == "week":
            year, number, _ = self.start_on.isocalendar()
            last = date(year - 1, 12, 28).isocalendar().week  # 28 December lies in the last week
            return _numbered("week", year - 1, min(number, last))
        return _numbered(self.kind, self.end_on.year - 1, (self.end_on.month - 1) // _MONTHS[self.kind][0] + 1)

    def previous(self) -> Period:
        """The comparable period before: of the same kind, whole.

        A day steps back a week (a Monday is like a Monday). A range moves by its own length, so a range of
        whole weeks keeps its weekdays. A YTD and nine administrative months take the same span of the year before.
        """
        if self.kind == "day":
            return _day(self.start_on - _ONE_WEEK)
        if self.kind == "range":
            return _range(self.start_on - timedelta(days=self.days), self.start_on - _ONE_DAY)
        if self.kind == "ytd":
            return _ytd(self.start_on.year - 1, self.end_on)
        if self.kind == "admin_nine_months":
            return _numbered(self.kind, self.end_on.year - 1, 1)
        return _containing(self.kind, self.start_on - _ONE_DAY)


def parse_period(text: str, today: date) -> Period:
    """The period a URL or API names, absolute (2026-W46) or relative to today (last_week).

    last_7d, last_30d and YTD end today; this_week and this_month are whole, their end still to come;
    last_week, last_month and last_12w are finished weeks and months. A range of one day is a day.

    Raises ValueError listing the accepted forms.
    """
    words = text.strip()
    try:
        period = _relative(words, today) or _absolute(words, today)
    except (ValueError, OverflowError) as fault:
        raise ValueError(f"period {text!r}: {fault}; accepted: {ACCEPTED}") from None
    if period is None:
        raise ValueError(f"period {text!r} is of no known form; accepted: {ACCEPTED}")
    return period


def comparable(period: Period, today: date) -> tuple[Period, Period | None]:
    """The period and the one to set beside it, aligned.

    A finished period comes with the whole previous one. A partial one is cut at today, its previous one after
    as many days (never past its end), and both carry is_cut: this week Mon-Wed beside last week Mon-Wed.
    Nothing elapsed yet: no previous. Pass the last finished day as today to leave the running day out.
    """
    return aligned(period, period.previous(), today) if today >= period.start_on else (period, None)


def aligned(period: Period, before: Period, today: date) -> tuple[Period, Period]:
    """A begun period and an earlier one, both whole or both cut after as many days."""
    if not period.is_partial(today):
        return period, before
    elapsed = (today - period.start_on).days + 1
    return _cut(period, elapsed), _cut(before, elapsed)


def days_of(period: Period) -> list[date]:
    """Every day of the period, in order."""
    return [period.start_on + timedelta(days=offset) for offset in range(period.days)]


def weeks_of(period: Period, *, full_only: bool = True) -> list[Period]:
    """The ISO weeks inside the period, in order; full_only=False adds those cut, with is_cut."""
    return list(_parts(period, "week", full_only))


def months_of(period: Period, *, full_only: bool = True) -> list[Period]:
    """The calendar months inside the period, in order; full_only=False adds those cut, with is_cut."""
    return list(_parts(period, "month", full_only))


def day_number(day: date) -> int:
    """Days since 1970-01-01: what the store's `_on` columns hold."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=number)


def _relative(word: str, today: date) -> Period | None:
    if word == "today":
        return _day(today)
    if word == "yesterday":
        return _day(today - _ONE_DAY)
    if word in ("this_week", "this_month"):
        return _containing(word.removeprefix("this_"), today)
    if word in ("last_week", "last_month"):
        return _containing(word.removeprefix("last_"), today).previous()
    if word in ("last_7d", "last_30d"):
        return _range(today - timedelta(days=int(word[5:-1]) - 1), today)
    if word == "last_12w":
        monday = today - timedelta(days=today.weekday())
        return _range(monday - 12 * _ONE_WEEK, monday - _ONE_DAY)
    return None


def _absolute(text: str, today: date) -> Period | None:
    for kind, form in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        if int(text[:4]) not in YEARS:
            raise ValueError(f"the year must be {YEARS[0]} to {YEARS[-1]}")
        if kind == "day":
            return _day(date.fromisoformat(text))
        if kind == "range":
            start_on, end_on = date.fromisoformat(match[1]), date.fromisoformat(match[2])
            return _range_or_day(start_on, end_on)
        year = int(match[1])
        if kind == "ytd":
            return _ytd(year, today)
        return _numbered(kind, year, int(match[2]) if form.groups == 2 else 1)
    return None


def _numbered(kind: str, year: int, number: int) -> Period:
    """The week, month, quarter or year of that number, e.g. ("admin_quarter", 2026, 4)."""
    if kind == "week":
        monday = date.fromisocalendar(year, number, 1)
        return Period(f"{year:04}-W{number:02}", kind, monday, monday + _ONE_WEEK - _ONE_DAY)
    months, name = _MONTHS[kind]
    first = date(year, months * (number - 1) + 1, 1)  # refuses month 00 and 13
    end_on = _month_start(first, months) - _ONE_DAY
    if kind.startswith("admin_"):
        first = _month_start(first, -1).replace(day=_ADMIN_LAST_DAY + 1)
        end_on = end_on.replace(day=_ADMIN_LAST_DAY)
    return Period(f"{year:04}{name.format(number)}", kind, first, end_on)


def _containing(kind: str, day: date) -> Period:
    """The week, month, quarter or year that holds the day; these kinds tile time."""
    if kind == "week":
        iso = day.isocalendar()
        return _numbered(kind, iso.year, iso.week)
    if kind.startswith("admin_") and day.day > _ADMIN_LAST_DAY:
        day = _month_start(day, 1)
    return _numbered(kind, day.year, (day.month - 1) // _MONTHS[kind][0] + 1)


def _day(day: date) -> Period:
    return Period(day.isoformat(), "day", day, day)


def _range(start_on: date, end_on: date) -> Period:
    if end_on < start_on:
        raise ValueError("the end is before the start")
    if end_on.year not in YEARS:
        raise ValueError(f"the year must be {YEARS[0]} to {YEARS[-1]}")
    return Period(f"{start_on}..{end_on}", "range", start_on, end_on)


def _range_or_day(start_on: date, end_on: date) -> Period:
    return _day(start_on) if start_on == end_on else _range(start_on, end_on)


def _ytd(year: int, today: date) -> Period:
    """1 January to the day of the year that today is; 29 February becomes the 28th where there is none."""
    last = (date(year, 3, 1) - _ONE_DAY).day if today.month == 2 else today.day
    end_on = date(year, today.month, min(today.day, last))
    return Period(f"{year:04}-YTD", "ytd", date(year, 1, 1), end_on)


def _cut(period: Period, elapsed: int) -> Period:
    """The first days of a period; whole when it is not longer, and marked all the same."""
    end_on = min(period.end_on, period.start_on + timedelta(days=elapsed - 1))
    text = period.text if end_on == period.end_on else f"{period.start_on}..{end_on}"
    return replace(period, text=text, end_on=end_on, is_cut=True)


def _parts(period: Period, kind: str, full_only: bool) -> Iterator[Period]:
    start_on = period.start_on
    while start_on <= period.end_on:
        part = _containing(kind, start_on)
        start_on = part.end_on + _ONE_DAY
        inside = replace(
            part, start_on=max(part.start_on, period.start_on), end_on=min(part.end_on, period.end_on)
        )
        if inside == part:
            yield part
        elif not full_only:
            yield replace(inside, text=f"{inside.start_on}..{inside.end_on}", is_cut=True)


def _month_start(day: date, months: int) -> date:
    """The first day of the month that many months later."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
