"""Query parameters: which each route knows, and how they become choices, periods and filters. Unknown ones are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.errors import ApiError
from config import LATE_RULES
from metrics.city import City
from metrics.city.audit import TrailFilter
from metrics.city.dossiers import STATES as DOSSIER_STATES
from metrics.city.dossiers import DossierFilter
from metrics.city.paging import LIMIT, MAX_LIMIT
from metrics.city.reports import QUALITY_BY_KEY as REPORT_QUALITIES
from metrics.city.reports import STATES as REPORT_STATES
from metrics.city.reports import ReportFilter
from metrics.city.sums import Choice
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
DOSSIER_FILTERS = (
    Parameter("state", "which dossiers", tuple(state.key for state in DOSSIER_STATES if state.key)),
    Parameter("status", "portal status code 1..10; 0 = unmapped"),
    Parameter("procedure", "procedure code"),
    Parameter("channel", "how it was filed", ("direct", "online", "postal")),
    PERIOD,
    Parameter("period_on", "the day the period is about", ("received", "finished", "due", "filed")),
    Parameter("q", "beginning of the dossier number"),
    AGENCY,
    AREA,
    DOMAIN,
    FEED,
    LATE_RULE,
)
REPORT_FILTERS = (
    Parameter("state", "which reports", tuple(state.key for state in REPORT_STATES if state.key)),
    Parameter("status", "report status key"),
    Parameter("channel", "how it was sent"),
    PERIOD,
    Parameter("period_on", "the day the period is about", ("received", "closed", "due", "reopened")),
    Parameter("quality", "how it was handled; bulk needs a period", tuple(REPORT_QUALITIES)),
    Parameter("q", "beginning of the report number"),
    AGENCY,
    AREA,
    CATEGORY,
    FEED,
)

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

    def dossiers(self, city: City) -> DossierFilter:
        """The filter of a dossier list."""
        return DossierFilter(
            self.choice(),
            self.text("state"),
            self.whole("status"),
            self.text("procedure"),
            self.text("channel"),
            self.text("feed"),
            self.period(city),
            self.text("period_on"),
            self.text("q"),
            self.text("late_rule"),
        )

    def reports(self, city: City) -> ReportFilter:
        """The filter of a report list."""
        return ReportFilter(
            self.choice(),
            self.text("state"),
            self.text("status"),
            self.text("channel"),
            self.text("feed"),
            self.period(city),
            self.text("period_on"),
            self.text("q"),
            self.text("quality"),
        )

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
