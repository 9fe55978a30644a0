"""The rows the store accepts: what a feed's parser must produce. Instants are microseconds since 1970 UTC.

They know nothing of feeds' wire formats and nothing of SQL. None means unknown; it never means zero.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Stop:
    """One stretch in which a dossier's clock stood still; resumed_at None = still waiting."""

    stopped_at: int
    resumed_at: int | None


@dataclass(frozen=True, slots=True)
class DossierRow:
    """One dossier as a source last described it.

    `status` is the portal's code 1..10 (domain: 1 new, 2 accepted, 3 refused, 4 in progress, 5 supplement asked, 6 fee asked,
    7 withdrawn, 8 suspended, 9 done, 10 handed over), 0 = unmapped. `agency` is a code or a name, resolved on landing.
    `due_at` is the effective due instant (after extensions). `version` is the source's update instant, None = receipt order.
    `second_supplement_at` = when more papers were asked for the second time, None = that is not told.
    `level` = full | partial | information, '' = not told (landing then asks the procedure catalogue). The facts from is_digitised on
    stand in store/facts.py with their sources; None = not told.
    """

    source_id: str
    agency: str = ""
    procedure_code: str = ""
    procedure_name: str = ""
    domain_code: str = ""
    domain_name: str = ""
    channel: str = "direct"  # direct | online | postal
    status: int = 0
    filed_at: int | None = None
    received_at: int | None = None
    due_at: int | None = None
    finished_at: int | None = None
    handed_at: int | None = None
    refused_at: int | None = None
    supplement_count: int = 0
    second_supplement_at: int | None = None
    level: str = ""
    is_digitised: bool | None = None
    is_paid_online: bool | None = None
    has_fee: bool | None = None
    has_component_file: bool | None = None
    has_e_result: bool | None = None
    is_shared: bool | None = None
    is_identified: bool | None = None
    has_apology: bool | None = None
    is_disliked: bool | None = None
    alias: str = ""
    version: int | None = None
    stops: tuple[Stop, ...] = ()
    is_deleted: bool = False  # a tombstone: the source takes the dossier back; only source_id and version count


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in a dossier's handling. `name` and `department` are the office's words; no person is stored."""

    dossier_id: str
    at: int
    name: str
    department: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One citizen report. `status` is a key of REPORT_STATUSES; `closed_at` counts only in a closed state.

    rating: 1 dissatisfied, 2 accepted, 3 satisfied, 0 not rated. The counts: how often it was reopened, sent back by an agency that is
    not in charge, given more time. None = the source does not tell; 0 = it tells that there was none.
    """

    source_id: str
    category: str = ""
    category_name: str = ""
    category_group: str = ""
    agency: str = ""
    status: str = "unmapped"
    channel: str = ""
    received_at: int | None = None
    updated_at: int | None = None
    due_at: int | None = None
    closed_at: int | None = None
    lon: float | None = None
    lat: float | None = None
    area: str = ""  # a code or a name given by the source; "" = place by point
    description: str | None = None
    resolution: str | None = None
    is_duplicate: bool | None = None
    is_urgent: bool = False
    rating: int | None = None
    reopened_count: int | None = None
    reopened_at: int | None = None
    returned_count: int | None = None
    extension_count: int | None = None
    version: int | None = None
    is_deleted: bool = False  # a tombstone, as of a dossier


# status key -> is the report open in it
REPORT_STATUSES: dict[str, bool] = {
    "new": True,
    "verifying": True,
    "accepted": True,
    "transferred": True,
    "in_progress": True,
    "supplement": True,
    "extended": True,
    "returned": True,
    "reopened": True,
    "unmapped": True,
    "resolved": False,
    "published": False,
    "closed": False,
    "refused": False,
}


@dataclass(frozen=True, slots=True)
class StationRow:
    """A sensor site. `kind` is air | weather | water | traffic | farm | camera | other."""

    source_id: str
    name: str
    kind: str = "other"
    lon: float | None = None
    lat: float | None = None
    area: str = ""


@dataclass(frozen=True, slots=True)
class DatastreamRow:
    """One property measured at one station. `property` is the short key (pm25, rain, level ...), `measure_unit` as stored."""

    source_id: str
    station_id: str
    property: str
    measure_unit: str = ""
    name: str = ""
    cadence_s: int | None = None


class ReadingRow(NamedTuple):
    """One value of one datastream at one instant."""

    datastream_id: str
    observed_at: int
    value: float


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A place with validity (day numbers, None = open). `geometry` is GeoJSON or None; `level` province | district | commune."""

    code: str
    name: str
    full_name: str = ""
    name_en: str = ""
    level: str = "commune"
    parent_code: str = ""
    valid_from_on: int | None = None
    valid_to_on: int | None = None
    lon: float | None = None
    lat: float | None = None
    geometry: dict[str, Any] | None = None
    predecessors: tuple[str, ...] = ()
    population: int | None = None


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """A handling agency of the catalogue; `code` is dotted (H56.14.3), `aliases` are names feeds use for it."""

    code: str
    name: str
    name_en: str = ""
    parent_code: str = ""
    kind: str = ""
    area_code: str = ""
    valid_from_on: int | None = None
    valid_to_on: int | None = None
    successor_code: str = ""
    aliases: tuple[str, ...] = ()
    officers: int | None = None


LIMIT_UNITS = ("h", "d", "wd", "m")  # working hours, calendar days, working days, months


@dataclass(frozen=True, slots=True)
class ProcedureRow:
    """An administrative procedure (TTHC). `limit_days` = legal limit in its `limit_unit` (working days by default), None = unknown.

    `central_limit_days` = the limit the ministry set, before the province cut it. `level` as of a dossier. Day numbers: the decision
    that announces it (decision_on) comes into force on effective_on; it was made public on published_on. `has_all_parts` = all seven
    parts of 766 1.3 are there.
    """

    code: str
    name: str
    domain_code: str = ""
    domain_name: str = ""
    limit_days: float | None = None
    level: str = ""
    central_limit_days: float | None = None
    has_fee: bool | None = None
    decision_on: int | None = None
    effective_on: int | None = None
    published_on: int | None = None
    has_all_parts: bool | None = None
    limit_unit: str = "wd"


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A kind of citizen report."""

    code: str
    name: str
    group_name: str = ""


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One value of one indicator (a figure that arrives finished) for one subject and period.

    The subject is an agency, an area or another `subject` by name; none of them = the province itself. Days are day numbers, start_on
    None = cumulative since an untold day. `bound`: what `value` is a bound of (over, least, nearly, about).
    `plan_pct` = the percentage the source printed; the computed one is never stored. `change` is against `change_from` (a period).
    The second half describes the indicator and goes into its catalogue. better: up | down | none. kind: index | plan | figure | ''.
    """

    source_id: str
    indicator: str
    period: str
    end_on: int
    start_on: int | None = None
    agency: str = ""
    area: str = ""
    subject: str = ""
    value: float | None = None
    value_text: str = ""
    bound: str = ""
    plan: float | None = None
    plan_pct: float | None = None
    rank: int | None = None
    denominator: int | None = None
    change: float | None = None
    change_from: str = ""
    target: float | None = None
    document: str = ""
    is_verified: bool = True
    version: int | None = None
    name: str = ""
    name_en: str = ""
    measure_unit: str = ""
    better: str = ""
    theme: str = ""
    group: str = ""
    kind: str = ""
    parent: str = ""
    scale_max: float | None = None
    position: int | None = None
    publisher: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not land: which item and field, why (a reason key), what to do (remedy key = reason), and what was sent.

    `payload` is the item as sent, stripped of fields classed personal; it is what a re-send starts from.
    """

    item: str
    field: str
    reason: str
    value: str = ""
    payload: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    """All rows and rejects of one batch, in one hand: what sync lands in one transaction."""

    dossiers: tuple[DossierRow, ...] = ()
    steps: tuple[StepRow, ...] = ()
    reports: tuple[ReportRow, ...] = ()
    stations: tuple[StationRow, ...] = ()
    datastreams: tuple[DatastreamRow, ...] = ()
    readings: tuple[ReadingRow, ...] = ()
    areas: tuple[AreaRow, ...] = ()
    indicators: tuple[IndicatorRow, ...] = ()
    rejects: tuple[Reject, ...] = ()
    item_count: int = 0
