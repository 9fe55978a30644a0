"""Query parameters: which each route knows, and how they become choices, periods and filters. Unknown ones are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.errors import ApiError
from config import LATE_RULES
from metrics.city import City
from metrics.city.audit import TrailFilter
from metrics.city.lists.filter_fields import FIELDS, PERIOD_DAYS
from metrics.city.lists.filters import Filter, parse
from metrics.city.lists.paging import LIMIT, MAX_LIMIT
from metrics.city.lists.row_orders import SORTS
from metrics.city.lists.station_list import SORTS as STATION_SORTS
from metrics.city.numbers.sums import Choice
from metrics.comparison import HOWS
from metrics.kpis import THEMES
from metrics.periods import ACCEPTED, Period, parse_period
from store.audit import ACTIONS
from text import LANGUAGES

MAX_VALUE = 500
DEFAULT_PERIOD = "this_month"


@dataclass(frozen=True)
class Parameter:
    """One query parameter, as OpenAPI shows it."""

    name: str
    about: str
    one_of: tuple[str, ...] = ()


LANG = Parameter("lang", "language of labels; default: Accept-Language, then the city's", LANGUAGES)
PERIOD = Parameter("period", f"one of: {ACCEPTED}")
LATE_RULE = Parameter("late_rule", "late by instant (Decision 766) or by day (form II.06a); default: the city's", LATE_RULES)
COMPARE = Parameter("compare", "set beside the period before, or the same one a year earlier; default: previous", HOWS)
AGENCY = Parameter("agency", "agency code; all below it by dotted code count too")
AREA = Parameter("area", "area code")
DOMAIN = Parameter("domain", "domain code (dossiers)")
CATEGORY = Parameter("category", "category code (reports)")
FEED = Parameter("feed", "feed key")
PAGING = (
    Parameter("limit", f"rows per page, 1..{MAX_LIMIT}; default {LIMIT}; exports always hold all rows"),
    Parameter("cursor", "`next` of the page before"),
)
HEADERS = Parameter(
    "headers", "first row of csv, xlsx and parquet: keys, or labels in the language asked for", ("keys", "labels")
)
_VALUE = "a,b any of; !a none of; - missing; !- given"
_RANGE = "a, a,b, a..b, a.. or ..b; ! before it: none of; - missing"
_OF_KIND = {
    "code": _VALUE, "tree": f"{_VALUE}; with all below, =code without", "number": _RANGE,
    "day": f"{_RANGE}; days yyyy-mm-dd in the city's zone",
    "hour": f"{_RANGE}; hours 0 to 23", "weekday": f"{_RANGE}; 1 = Monday", "flag": "yes or no; - not told",
    "place": "inside a polygon lon,lat_lon,lat_lon,lat; - without a place",
}
Q = Parameter("q", "words, accents or not: each begins the number or a word of a name shown with the row (of its text, who may read it)")


def filters_of(topic: str) -> tuple[Parameter, ...]:
    """Every field of the filter grammar as a parameter, with period, words and late rule."""
    found = [
        Parameter(row.key, f"{_VALUE}; values: {', '.join(row.values)}" if row.values else _OF_KIND[row.kind]) for row in FIELDS[topic]
    ]
    if PERIOD_DAYS[topic]:
        found += [PERIOD, Parameter("period_on", "the day the period is about", tuple(PERIOD_DAYS[topic]))]
    return (*found, Q, *((LATE_RULE,) if topic == "dossiers" else ()))


def sort_of(topic: str) -> Parameter:
    """How a list is sorted."""
    keys = STATION_SORTS if topic == "stations" else SORTS[topic]
    return Parameter("sort", f"one of {', '.join(keys)}; a - before it turns it round; default: the list's own order")


DOSSIER_FILTERS, REPORT_FILTERS, STATION_FILTERS = (filters_of(topic) for topic in ("dossiers", "reports", "stations"))
DOSSIER_SORT, REPORT_SORT, STATION_SORT = (sort_of(topic) for topic in ("dossiers", "reports", "stations"))
PROGRESS = Parameter("progress", "a key of your own: /api/v1/exports/<key> tells how far the file is written")

CATALOGUE_FILTERS = (
    Parameter("theme", "smart-city theme", THEMES),
    Parameter("q", "words to be found in key, label, definition or source, accents or not"),
)
AUDIT_FILTERS = (
    Parameter("actor", "who: user:<name>, key:<label>#<number>, cli:<name>, demo"),
    Parameter("action", "what was done", ACTIONS),
    Parameter("kind", "kind of thing it was done to"),
    Parameter("subject", "its id: a dossier or report number, a feed key, a user name"),
    PERIOD,
)


class Asked:
    """The parameters of one request, checked against what the route knows. Raises ApiError 400 naming the known ones."""

    def __init__(self, given: list[tuple[str, str]], known: tuple[Parameter, ...]) -> None:
        self.known: Mapping[str, Parameter] = {row.name: row for row in known}
        self.values: dict[str, str] = {}
        for name, value in given:
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        row = self.known.get(name)
        if row is None:
            raise ApiError(
                400,
                "unknown_parameter",
                f"there is no parameter {name[:80]!r} here",
                field=name[:80],
                remedy=f"known: {', '.join(self.known) or 'none'}",
            )
        if name in self.values:
            raise bad(name, f"{name} is given twice", "give each parameter once; several keys are separated by commas")
        if "\0" in value or len(value) > MAX_VALUE or not _is_unicode(value):
            raise bad(name, f"{name} is too long or holds letters that are no text", f"at most {MAX_VALUE} letters")
        if row.one_of and value and value not in row.one_of:
            raise bad(name, f"{name}={value!r} is not known", f"one of: {', '.join(row.one_of)}")
        self.values[name] = value.strip()

    def text(self, name: str) -> str:
        """The value, '' when absent."""
        return self.values.get(name, "")

    def whole(self, name: str, default: int | None = None) -> int | None:
        """The value as a whole number. Raises ApiError 400."""
        given = self.text(name)
        if not given:
            return default
        if not given.lstrip("-").isascii() or not given.lstrip("-").isdigit() or len(given) > 12:
            raise bad(name, f"{name}={given!r} is no whole number", "send digits only")
        return int(given)

    def period(self, city: City, default: str = "") -> Period | None:
        """The period asked for, or the default; None when neither. Raises ApiError 400 listing the accepted forms."""
        given = self.text("period") or default
        if not given:
            return None
        try:
            return parse_period(given, city.today)
        except ValueError as fault:
            raise bad("period", str(fault), f"one of: {ACCEPTED}") from fault

    def choice(self) -> Choice:
        """Agency, area, domain and category asked for."""
        return Choice(self.text("agency"), self.text("area"), self.text("domain"), self.text("category"))

    def limit(self) -> int:
        """Rows per page."""
        found = self.whole("limit", LIMIT)
        if found is None or not 1 <= found <= MAX_LIMIT:
            raise bad(
                "limit", f"limit={found} is out of range", f"1..{MAX_LIMIT}; go on with cursor, or ask for csv for all rows"
            )
        return found

    def rows(self, topic: str) -> Filter:
        """The filter of a list of rows, as its page makes it. Raises ApiError 400 naming the parameter."""
        try:
            return parse(topic, self.values)
        except ValueError as fault:
            raise bad(str(fault).partition(":")[0], str(fault), "see the message") from fault

    def trail(self, city: City) -> TrailFilter:
        """The filter of the audit trail."""
        return TrailFilter(self.text("actor"), self.text("action"), self.text("kind"), self.text("subject"), self.period(city))


def bad(field: str, message: str, remedy: str) -> ApiError:
    """A parameter that cannot be understood."""
    return ApiError(400, "bad_parameter", message, field=field, remedy=remedy)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def language_of(asked: str, accepted: str, default: str) -> str:
    """The language asked for, else the first of Accept-Language there are texts in, else the default."""
    if asked in LANGUAGES:
        return asked
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return default
