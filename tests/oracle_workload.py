"""The truth about figures per inhabitant, per officer and per open dossier; shares no code with metrics/."""

from __future__ import annotations

from typing import Any

import pandas as pd

Answer = tuple[float | None, int]
OF_DOSSIERS = ("dossiers_received_per_1000", "dossiers_finished_per_officer", "dossiers_finished_per_open")
OF_REPORTS = ("reports_per_1000",)


class Workload:
    """Areas and agencies as the city's lists have them."""

    def __init__(self, areas: pd.DataFrame, agencies: pd.DataFrame) -> None:
        self.areas, self.agencies = (rows[rows["origin"] == "catalogue"] for rows in (areas, agencies))
        self.kept: dict[Any, Any] = {}

    def dossiers(self, received: int, finished: int, open_: int, on: int, pick: Any) -> dict[str, Answer]:
        """The rates of dossiers on a day, of counts made already."""
        return {
            "dossiers_received_per_1000": (divided(received, self.people(on, pick), 1000), received),
            "dossiers_finished_per_officer": (divided(finished, self.officers(on, pick), 1), finished),
            "dossiers_finished_per_open": (100 * finished / open_ if open_ else None, open_),
        }

    def reports(self, received: int, on: int, pick: Any) -> dict[str, Answer]:
        """The rate of reports."""
        return {"reports_per_1000": (divided(received, self.people(on, pick), 1000), received)}

    def people(self, on: int, pick: Any) -> int | None:
        """Inhabitants of the area, of the agency's area, else of the one province or all communes."""
        return self._once(self._people, on, pick)

    def _once(self, make: Any, on: int, pick: Any) -> int | None:
        """What one of these makes of a day and a pick, made once."""
        key = (make.__name__, on, pick)
        if key not in self.kept:
            self.kept[key] = make(on, pick)
        found: int | None = self.kept[key]
        return found

    def _valid(self, name: str, on: int) -> pd.DataFrame:
        if (name, on) not in self.kept:
            rows = valid(self.areas if name == "areas" else self.agencies, on)
            if name == "areas":
                rows = rows.sort_values("valid_from_on").drop_duplicates("code", keep="last").set_index("code")
            self.kept[name, on] = rows
        return self.kept[name, on]

    def _people(self, on: int, pick: Any) -> int | None:
        by, group = pick.only or ("", "")
        agency, area = (group if by == name else getattr(pick, name) for name in ("agency", "area"))
        rows = self._valid("areas", on)
        if not area and agency:
            own = self._valid("agencies", on).set_index("code")["area_code"]
            area = own.get(agency, "")
            if not area:
                return None
        if area:
            return whole(rows["population"].get(area))
        provinces = rows.loc[rows["level"] == "province", "population"]
        if len(provinces) == 1 and whole(provinces.iloc[0]):
            return whole(provinces.iloc[0])
        return total(rows.loc[rows["level"] == "commune", "population"])

    def officers(self, on: int, pick: Any) -> int | None:
        """Officers of an agency and those below it, of an area's agencies, of all; of a group of agencies itself alone."""
        return self._once(self._officers, on, pick)

    def _officers(self, on: int, pick: Any) -> int | None:
        by, group = pick.only or ("", "")
        rows = self._valid("agencies", on)
        if by == "agency":
            return total(rows.loc[rows["code"] == group, "officers"])
        if pick.agency:
            return total(rows.loc[[code == pick.agency or code.startswith(f"{pick.agency}.") for code in rows["code"]], "officers"])
        area = group if by == "area" else pick.area
        return total(rows.loc[rows["area_code"] == area, "officers"] if area else rows["officers"])


def valid(rows: pd.DataFrame, on: int) -> pd.DataFrame:
    """The rows that hold on a day."""
    begun = rows["valid_from_on"].isna() | (rows["valid_from_on"] <= on).fillna(False)
    return rows[begun & (rows["valid_to_on"].isna() | (rows["valid_to_on"] >= on).fillna(False))]


def total(numbers: pd.Series) -> int | None:
    """The sum; None when one is missing or there are none."""
    return int(numbers.sum()) if len(numbers) and numbers.notna().all() else None


def whole(number: Any) -> int | None:
    """An integer, None for a missing one."""
    return None if number is None or pd.isna(number) else int(number)


def divided(count: int, by: int | None, each: int) -> float | None:
    """A count for each so many; None of an unknown number or of nobody."""
    return count * each / by if by else None
