"""Every table of the store, by subject; here they come together.

Prefixes: core_ = what feeds said, rollup_ = recomputed sums, ops_ = the store's own state. `_at` = microseconds since 1970 UTC,
`_on` = day number in the city's zone (days since 1970-01-01), `hour` = hours since 1970 UTC.
Every key contains what a shard would be cut by: the feed's source id, the datastream, or the bucket.
"""

from __future__ import annotations

from store.columns import metadata
from store.report_text import report_text
from store.schema_baseline import baseline
from store.schema_catalogues import agency, agency_alias, area, area_succession, category, domain, procedure
from store.schema_days import folded_day
from store.schema_dossiers import PROCEDURE_USED, dossier, dossier_step, dossier_stop, dossier_version
from store.schema_readings import datastream, indicator, indicator_value, indicator_value_version, latest, reading, station
from store.schema_reports import report, report_version, unseen, withdrawn
from store.schema_risk import risk_model
from store.schema_rollups import DOSSIER_FLOWS, REPORT_FLOWS, dossier_day, reading_day, reading_hour, reading_hour_area, report_day
from store.schema_same import same_report
from store.schema_state import api_key, audit, clock, dirty, feed, feed_key, feed_session, load, reject, revision, session, user
from store.schema_time import basis, dossier_time, unjudged
from store.schema_views import shown, view
from store.schema_week import annotation, brief, brief_sending, followup, followup_event

__all__ = [
    "DOSSIER_FLOWS", "PROCEDURE_USED", "REPORT_FLOWS", "TOPICS", "agency", "agency_alias", "annotation", "api_key", "area",
    "area_succession", "audit", "baseline", "basis", "brief", "brief_sending", "category", "clock", "datastream", "dirty", "domain",
    "dossier", "dossier_day", "dossier_step", "dossier_stop", "dossier_time", "dossier_version", "feed", "feed_key", "feed_session",
    "folded_day", "followup", "followup_event", "indicator", "indicator_value", "indicator_value_version", "latest", "load", "metadata",
    "procedure", "reading", "reading_day", "reading_hour", "reading_hour_area", "reject", "report", "report_day", "report_text",
    "report_version", "revision", "risk_model", "same_report", "session", "shown", "station", "unjudged", "unseen", "user", "view",
    "withdrawn",
]
TOPICS = ("dossiers", "reports", "readings", "indicators", "operations")
