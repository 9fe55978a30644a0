"""How numbers, percents, dates, instants, ages and periods are written in Vietnamese and English.

Own rules instead of a locale library: its short vi date (2/3/26) is not what offices write, and it rounds
half to even. A missing value is written as an en dash, never as zero; a minus is U+2212.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from text.catalogue import t

MISSING = "–"
MINUS = "\u2212"
MAX_DECIMALS = 2  # what number() shows when the caller does not say
COMPACT_DIGITS = 3  # a wall figure is read from metres away: three significant digits carry it
_STEPS = ("", "number.thousand", "number.million", "number.billion")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROMAN = ("I", "II", "III", "IV")
_MONTHS_LONG = {"month": 1, "quarter": 3, "half": 6, "nine_months": 9, "year": 12}
Number = int | float | Decimal


def number(value: Number | None, lang: str, decimals: int | None = None, *, compact: bool = False) -> str:
    """1.234,5 in vi, 1,234.5 in en; rounded half up; None and NaN give "–".

    decimals None shows up to 2 and drops trailing zeros. compact shows at most 3 significant digits, with a
    word past a thousand: 12,3 nghìn, 1,2 triệu.
    """
    exact = _exact(value)
    if exact is None:
        return MISSING
    return _compact(exact, lang) if compact else _signed(_plain(exact, lang, decimals), exact)


def percent(value: Number | None, lang: str, decimals: int = 1) -> str:
    """A share given in percent (a `_pct` figure, 0..100): 88.84 -> 88,8% in vi, 88.8% in en; None -> "–"."""
    shown = number(value, lang, decimals)
    return shown if shown == MISSING else f"{shown}%"


def delta(value: Number | None, lang: str, decimals: int | None = None) -> str:
    """A change with its sign: +1,2 or −3; what rounds to zero has no sign; None gives "–"."""
    shown = number(value, lang, decimals)
    return f"+{shown}" if _has_size(shown) and not shown.startswith(MINUS) else shown


def day(value: date | int | None, lang: str) -> str:
    """dd/MM/yyyy in both languages; takes a date or a day number (days since 1970-01-01); None gives "–"."""
    if value is None:
        return MISSING
    shown = value if isinstance(value, date) else date(1970, 1, 1) + timedelta(days=value)
    return f"{shown.day:02}/{shown.month:02}/{shown.year:04}"


def instant(value: int | datetime | None, tz: str | tzinfo, lang: str, *, today: date | None = None) -> str:
    """HH:mm dd/MM/yyyy in zone tz, or HH:mm alone when it falls on `today`; None gives "–".

    value is microseconds since 1970 UTC or an aware datetime. Raises ValueError for a naive datetime.
    """
    if value is None:
        return MISSING
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"instant {value!r} has no zone; pass an aware datetime or UTC microseconds")
    moment = value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=value)
    local = moment.astimezone(ZoneInfo(tz) if isinstance(tz, str) else tz)
    clock = f"{local.hour:02}:{local.minute:02}"
    return clock if local.date() == today else f"{clock} {day(local.date(), lang)}"


def age(seconds: float | None, lang: str) -> str:
    """How long ago, in the largest whole unit: 12 giây, 5 phút, 3 giờ, 2 ngày; below zero counts as zero."""
    exact = _exact(seconds)
    if exact is None:
        return MISSING
    whole = max(0, int(exact))
    for key, size in (("age.days", 86_400), ("age.hours", 3_600), ("age.minutes", 60)):
        if whole >= size:
            return t(key, lang, n=number(whole // size, lang))
    return t("age.seconds", lang, n=whole)


def duration_days(value: Number | None, lang: str, decimals: int | None = 1) -> str:
    """A length in days: 3,5 ngày, 3.5 days, 1 day; None gives "–"."""
    exact = _exact(value)
    if exact is None:
        return MISSING
    shown = number(exact, lang, decimals if exact % 1 else 0)
    return t("duration.day" if shown == "1" else "duration.days", lang, n=shown)


def period_label(kind: str, start_on: date, end_on: date, lang: str) -> str:
    """The name of a period of metrics.periods, e.g. "Tuần 46/2026 (09/11–15/11/2026)", "Quý IV/2026".

    kind: one of metrics.periods.KINDS. A month, quarter or year that was
    cut short also shows its days. Raises ValueError for another kind.
    """
    if kind == "day":
        return f"{t(f'weekday.{start_on.isoweekday()}', lang)} {day(start_on, lang)}"
    if kind in ("range", "ytd"):
        key = "period.label_ytd" if kind == "ytd" else "period.label_range"
        return t(key, lang, year=start_on.year, start=day(start_on, lang), end=day(end_on, lang))
    if kind == "week":
        year, week, _ = start_on.isocalendar()
        days = _days(start_on, end_on, with_year=True)
        return t("period.label_week", lang, week=f"{week:02}", year=year, days=days)
    return _calendar_label(kind, start_on, end_on, lang)


def _calendar_label(kind: str, start_on: date, end_on: date, lang: str) -> str:
    is_admin = kind.startswith("admin_")
    # an administrative period starts on the 15th of the month before the one it is named after
    named = start_on + timedelta(days=20) if is_admin else start_on
    months = _MONTHS_LONG.get(kind.removeprefix("admin_"))
    if months is None or (not is_admin and months in (6, 9)):
        raise ValueError(f"unknown kind of period {kind!r}")
    quarter = (named.month - 1) // 3
    quarter_name = _ROMAN[quarter] if lang == "vi" else f"Q{quarter + 1}"
    name = {1: f"{named.month:02}", 3: quarter_name}.get(months, "")
    which = f"_{(named.month - 1) // 6 + 1}" if months == 6 else ""  # offices speak of the first six months and the last six
    label = t(f"period.label_{kind}{which}", lang, name=name, year=named.year)
    is_cut = end_on < _months_later(start_on, months) - timedelta(days=1)
    return f"{label} ({_days(start_on, end_on)})" if is_admin or is_cut else label


def _days(start_on: date, end_on: date, *, with_year: bool = False) -> str:
    first = f"{start_on.day:02}/{start_on.month:02}"
    last = f"{end_on.day:02}/{end_on.month:02}"
    if start_on.year != end_on.year:  # otherwise 29/12–04/01/2026 would read as one year
        return f"{first}/{start_on.year}–{last}/{end_on.year}"
    return f"{first}–{last}/{end_on.year}" if with_year else f"{first}–{last}"


def _months_later(start_on: date, months: int) -> date:
    index = start_on.year * 12 + start_on.month - 1 + months
    return start_on.replace(year=index // 12, month=index % 12 + 1)


def _exact(value: Number | None) -> Decimal | None:
    """The value as it prints, so that 0.285 rounds as readers expect; None for missing, NaN, infinity."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    as_float = float(value)
    if not math.isfinite(as_float):
        return None
    return Decimal(int(value)) if as_float.is_integer() else Decimal(repr(as_float))


def _plain(exact: Decimal, lang: str, decimals: int | None) -> str:
    """The absolute value, rounded and grouped."""
    places = MAX_DECIMALS if decimals is None else decimals
    rounded = abs(exact).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    shown = f"{rounded:,f}"
    if decimals is None and "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return shown.translate(str.maketrans(",.", ".,")) if lang == "vi" else shown


def _signed(shown: str, exact: Decimal) -> str:
    return f"{MINUS}{shown}" if exact < 0 and _has_size(shown) else shown


def _has_size(shown: str) -> bool:
    """False for what rounds to zero, and for a missing value: neither carries a sign."""
    return any(digit in shown for digit in "123456789")


def _compact(exact: Decimal, lang: str) -> str:
    rounded = _significant(abs(exact))
    step = min(len(_STEPS) - 1, max(0, rounded.adjusted() // 3)) if rounded else 0
    # past the last word (tỷ) there are more than three digits before the comma; they stay rounded
    scaled = rounded.scaleb(-3 * step).normalize()
    shown = _signed(_plain(scaled, lang, max(0, -int(scaled.as_tuple().exponent))), exact)
    return t(_STEPS[step], lang, value=shown) if step else shown


def _significant(size: Decimal) -> Decimal:
    if not size:
        return size
    return size.quantize(Decimal(1).scaleb(size.adjusted() - COMPACT_DIGITS + 1), rounding=ROUND_HALF_UP)
