"""The truth about form II.06a, the one-stop extras and decision 766, from core rows by pandas; shares no code with metrics/ or store/facts.

How a dossier's facts lie in their integer is typed here again from docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

Answer = tuple[float | None, int]
EPOCH = date(1970, 1, 1)
INFORMATION, PARTIAL, FULL = 1, 2, 3
PLACES = {  # of the bit "told"; the next one says yes
    "digitised": 2, "paid": 4, "fee": 6, "component": 8, "result": 10, "shared": 12, "identified": 14, "apology": 16, "disliked": 18,
}
FORM = (
    "dossiers_received_online", "dossiers_received_direct", "dossiers_received_postal", "dossiers_carried_over", "dossiers_in_hand",
    "dossiers_finished_early", "dossiers_finished_on_time", "dossiers_open_in_time", "dossiers_open_no_due", "dossiers_online_full",
    "dossiers_online_partial", "dossiers_online_full_pct", "dossiers_full_pct", "dossiers_partial_pct", "dossiers_on_the_spot_pct",
    "dossiers_apology_pct", "dossiers_supplement_pct",
)
SCORE = (
    "dossiers_paid_online_pct", "dossiers_e_result_pct", "dossiers_digitised_whole_pct", "dossiers_digitised_pct", "dossiers_shared_pct",
    "dossiers_identified_pct", "dossiers_satisfied_pct",
)
CATALOGUE = (  # of the catalogue alone, whatever the feeds say
    "procedures_time_cut_pct", "procedures_published_on_time_pct", "procedures_public_on_time_pct", "procedures_complete_pct",
    "procedures_online_pct",
)
WHOLE = (*CATALOGUE, "agencies_reporting_pct", "procedures_used_online_pct", "procedures_paid_online_pct", "procedures_payable_pct")
STOCKS = ("dossiers_open_in_time", "dossiers_open_no_due")


def share(part: Any, whole: Any) -> Answer:
    """A share in percent of two sets of rows."""
    part, whole = int(part.sum()), int(whole.sum())
    return (100.0 * part / whole if whole else None), whole


def bit(rows: pd.DataFrame, place: int) -> np.ndarray:
    """Which rows have this bit; in their order, without an index: groups are small, and many."""
    return rows["facts"].to_numpy().astype("int64") // 2**place % 2 == 1


def told(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Of which rows the source told the fact."""
    return bit(rows, PLACES[name])


def yes(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Of which it told yes."""
    return told(rows, name) & bit(rows, PLACES[name] + 1)


# ---- of one row: what the roll-ups hold ---------------------------------------------------------------------------------
def fact(row: Mapping[str, Any], name: str) -> bool | None:
    """One fact of one row."""
    pair = row["facts"] // 2 ** PLACES[name] % 4
    return None if pair % 2 == 0 else pair == 3


def facts_in(row: Mapping[str, Any]) -> list[str]:
    """The flows of its received day that rest on facts."""
    level, online = row["facts"] % 4, row["channel"] == "online"
    found = ["level_known", *(["online_level_known"] if online else [])] if level else []
    for code, name in ((FULL, "full"), (PARTIAL, "partial")):
        if level == code:
            found += [f"level_{name}", *([f"online_{name}"] if online else [])]
    fee, paid = fact(row, "fee"), fact(row, "paid")
    found += ["fee_known"] * (fee is not None) + ["with_fee"] * bool(fee)
    found += ["fee_paid_known"] * (bool(fee) and paid is not None) + ["fee_paid"] * bool(fee and paid)
    for name in ("digitised", "identified"):
        found += [f"{name}_known"] * (fact(row, name) is not None) + [name] * bool(fact(row, name))
    return found


def facts_out(row: Mapping[str, Any]) -> list[str]:
    """The flows of its finished day that rest on facts or supplements."""
    result, component, shared, found = fact(row, "result"), fact(row, "component"), fact(row, "shared"), []
    if row["status"] != 7:
        found += ["e_result_known"] * (result is not None) + ["e_result"] * bool(result)
        found += ["whole_known"] * (None not in (result, component)) + ["digitised_whole"] * bool(result and component)
        found += ["shared_known"] * (shared is not None) + ["shared"] * bool(shared)
    if row["due_at"] is not None and row["finished_at"] > row["due_at"]:
        apology = fact(row, "apology")
        found += ["apology_known"] * (apology is not None) + ["apology"] * bool(apology)
    disliked = fact(row, "disliked")
    found += ["dislike_known"] * (disliked is not None) + ["disliked"] * bool(disliked)
    return found + ["supplement_asked"] * (row["supplement_count"] > 0)


# ---- of many rows: the KPIs -----------------------------------------------------------------------------------------------
def form_kpis(
    received: pd.DataFrame, ended: pd.DataFrame, stock: pd.DataFrame, carried: int, late: int, overdue: int,
) -> dict[str, Answer]:
    """The columns of the form and the extras. `carried` = open before the period; late and overdue under the rule asked for."""
    by_channel = received["channel"].value_counts()
    online, postal = (int(by_channel.get(name, 0)) for name in ("online", "postal"))
    direct = len(received) - online - postal
    early = int((ended["finished_day"] < ended["due_day"]).fillna(False).sum())
    no_due = int(stock["due_at"].isna().sum())
    level = received["facts"].astype("int64") % 4
    filed = level[received["channel"] == "online"]
    late_rows = (ended["finished_at"] > ended["due_at"]).fillna(False)
    known = int((filed > 0).sum())
    full, partial = int((filed == FULL).sum()), int((filed == PARTIAL).sum())
    return {
        "dossiers_received_online": (online, online), "dossiers_received_postal": (postal, postal),
        "dossiers_received_direct": (direct, direct), "dossiers_carried_over": (carried, carried),
        "dossiers_in_hand": (carried + len(received), carried + len(received)), "dossiers_finished_early": (early, early),
        "dossiers_finished_on_time": (len(ended) - early - late, len(ended)),
        "dossiers_open_in_time": (len(stock) - overdue, len(stock)), "dossiers_open_no_due": (no_due, len(stock)),
        "dossiers_online_full": (full if known else None, known), "dossiers_online_partial": (partial if known else None, known),
        "dossiers_online_full_pct": (100.0 * full / (full + partial) if full + partial else None, full + partial),
        "dossiers_full_pct": share(level == FULL, level > 0), "dossiers_partial_pct": share(level == PARTIAL, level > 0),
        "dossiers_on_the_spot_pct": share(ended["finished_day"] == ended["received_day"], ended["finished_at"].notna()),
        "dossiers_apology_pct": share(late_rows & yes(ended, "apology"), late_rows & told(ended, "apology")),
        "dossiers_supplement_pct": share(ended["supplement_count"] > 0, ended["finished_at"].notna()),
    }


def score_kpis(received: pd.DataFrame, ended: pd.DataFrame) -> dict[str, Answer]:
    """Groups 3-5 of 766 that rest on what sources told of dossiers."""
    fee, settled = yes(received, "fee"), ended["status"] != 7
    with_due = ended["due_at"].notna()
    late = share((ended["finished_at"] > ended["due_at"]).fillna(False), with_due)[0]
    disliked, n = share(yes(ended, "disliked"), told(ended, "disliked"))
    return {
        "dossiers_paid_online_pct": share(fee & yes(received, "paid"), fee & told(received, "paid")),
        "dossiers_e_result_pct": share(settled & yes(ended, "result"), settled & told(ended, "result")),
        "dossiers_digitised_whole_pct": share(
            settled & yes(ended, "component") & yes(ended, "result"), settled & told(ended, "component") & told(ended, "result"),
        ),
        "dossiers_digitised_pct": share(yes(received, "digitised"), told(received, "digitised")),
        "dossiers_shared_pct": share(settled & yes(ended, "shared"), settled & told(ended, "shared")),
        "dossiers_identified_pct": share(yes(received, "identified"), told(received, "identified")),
        "dossiers_satisfied_pct": (None if late is None or disliked is None else max(0.0, 100.0 - late - disliked), n),
    }


def whole_kpis(
    tables: tuple[pd.DataFrame, pd.DataFrame], dossiers: pd.DataFrame, start: int, end: int, today: int, pick: Any,
    works: Callable[[date], bool], speaks: bool,
) -> dict[str, Answer]:
    """KPIs of agencies and procedures. `tables` = agencies, procedures; `dossiers` = the picked ones; end <= today."""
    agencies, procedures = tables
    found: dict[str, Answer] = {"agencies_reporting_pct": agencies_reporting(agencies, dossiers, start, end, pick)}
    if pick.agency or pick.area or pick.only:
        return {key: found[key] if key in found and speaks else (None, 0) for key in WHOLE}
    listed = procedures[procedures["origin"] == "catalogue"]
    listed = listed[listed["domain_code"] == pick.domain] if pick.domain else listed
    found.update(used_procedures(listed, dossiers, start, end))
    if not speaks:
        found = dict.fromkeys(found, (None, 0))
    found.update(standing_procedures(listed) if end >= today else {})
    found.update(announced_procedures(listed, start, end, works))
    return {key: found.get(key, (None, 0)) for key in WHOLE}


def agencies_reporting(agencies: pd.DataFrame, dossiers: pd.DataFrame, start: int, end: int, pick: Any) -> Answer:
    """Agencies of the catalogue with anything received or ended, over those in force."""
    if pick.domain:
        return None, 0
    known = agencies[agencies["origin"] == "catalogue"]
    known = known[~(known["valid_from_on"] > end).fillna(False) & ~(known["valid_to_on"] < end).fillna(False)]
    if pick.agency:
        known = known[(known["code"] == pick.agency) | known["code"].str.startswith(pick.agency + ".")]
    if pick.area:
        known = known[known["area_code"] == pick.area]
    active = [dossiers[f"{name}_day"].between(start, end).fillna(False) for name in ("received", "finished")]
    return share(known["code"].isin(set(dossiers.loc[active[0] | active[1], "agency_code"])), known["code"].notna())


def used_procedures(listed: pd.DataFrame, dossiers: pd.DataFrame, start: int, end: int) -> dict[str, Answer]:
    """766 3.2, 3.4, 3.5."""
    rows = dossiers[dossiers["received_day"].between(start, end).fillna(False)]
    paid = yes(rows, "fee") & yes(rows, "paid")
    met = {"used_online": rows["channel"] == "online", "paid_online": paid, "payable": yes(rows, "fee")}
    among = {"used_online": listed["level"].isin(["full", "partial"])}
    found = {}
    for name, chosen in met.items():
        of = among.get(name, listed["has_fee"].astype("boolean").fillna(False))
        found[f"procedures_{name}_pct"] = share(of & listed["code"].isin(set(rows.loc[chosen, "procedure_code"])), of)
    return found


def standing_procedures(listed: pd.DataFrame) -> dict[str, Answer]:
    """766 1.3 and 3.1, and how much the limits were cut: of the catalogue as it is."""
    parts = listed["has_all_parts"].astype("boolean")
    cut = listed[(listed["central_limit_days"] >= 15).fillna(False) & listed["limit_days"].notna() & (listed["limit_unit"] == "wd")]
    central, own = float(cut["central_limit_days"].sum()), float(cut["limit_days"].sum())
    return {
        "procedures_complete_pct": share(parts.fillna(False), parts.notna()),
        "procedures_online_pct": share(listed["level"].isin(["full", "partial"]), listed["level"] != ""),
        "procedures_time_cut_pct": (100.0 * (central - own) / central if len(cut) else None, len(cut)),
    }


def announced_procedures(listed: pd.DataFrame, start: int, end: int, works: Callable[[date], bool]) -> dict[str, Answer]:
    """766 1.1 and 1.2, day by day."""
    early = decided = public_in_time = public = 0
    for row in listed.to_dict("records"):
        dates = (row[f"{name}_on"] for name in ("decision", "effective", "published"))
        decision, effective, shown = (None if pd.isna(on) else int(on) for on in dates)
        if decision is None:
            continue
        fifth = nth_working_day(decision, 5, works)
        if effective is not None and start <= decision <= end:
            decided, early = decided + 1, early + (fifth <= effective)
        if start <= fifth <= end or (shown is not None and start <= shown <= end):
            public, public_in_time = public + 1, public_in_time + (shown is not None and shown <= fifth)
    return {
        "procedures_published_on_time_pct": (100.0 * early / decided if decided else None, decided),
        "procedures_public_on_time_pct": (100.0 * public_in_time / public if public else None, public),
    }


def nth_working_day(on: int, n: int, works: Callable[[date], bool]) -> int:
    """The n-th working day after a day."""
    while n:
        on += 1
        n -= works(EPOCH + timedelta(days=on))
    return on
