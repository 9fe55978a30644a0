"""The working-time clock of one report, from state to state, as far as its kept versions tell them."""

from __future__ import annotations

from metrics.city import City
from metrics.city.records.dossier_clock import DossierClock, drawn
from metrics.city.records.reports import ReportDetail
from metrics.process import StepAt

RECEIVED, REOPENED = "received", "reopened"  # names of states that are no status: texts report_event.*


def read(city: City, found: ReportDetail) -> DossierClock | None:
    """Its clock with a step a state, named by the status; None without a receipt. A state is known from when its source told it."""
    item = found.item
    if item.received_at is None or (item.closed_at is not None and item.closed_at < item.received_at):
        return None
    told = [(item.received_at, RECEIVED)]
    for version in found.versions:
        told += [(version.landed_at, str(change.after)) for change in version.changes if change.field == "status"]
    if item.reopened_at is not None:
        told.append((item.reopened_at, REOPENED))
    ended = item.closed_at
    told = [(at, name) for at, name in told if ended is None or at < ended or name == RECEIVED]
    told.append((ended, item.status) if ended is not None else (max(at for at, _ in told), item.status))
    told.sort(key=lambda row: row[0])
    if told[1:] and told[1][0] == item.received_at:
        del told[0]  # in its first state at once
    steps = [StepAt(at, name, "", 0) for place, (at, name) in enumerate(told) if place == 0 or told[place - 1][1] != name]
    return drawn(city, item.agency_code, (item.received_at, ended, item.due_at), steps)
