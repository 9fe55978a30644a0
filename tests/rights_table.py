"""Who may ask for what: the rights matrix as the administrator would draw it, and the examples it is asked with.

One line an address and kind; x = the role may, . = it may not. `whole` = only with rights over all agencies and areas. Written by hand
from the roles, never from the registries: a row the program has and this table has not fails the matrix, and the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = ("display", "viewer", "leader", "analyst", "operator", "feed_owner", "auditor", "admin")
TABLE = """
#                                        display viewer leader analyst operator feed_owner auditor admin
page      /                                  . x x x x x x x
page      /dossiers                          . . x x x . . .
page      /dossiers/<item>                   . . x x x . . .
page      /reports                           . . x x x . . .
page      /reports/<item>                    . . x x x . . .
page      /explore                           . . x x x . . .
page      /map                               . x x x x x x x
page      /at-risk                           . . x x x . . .
page      /bottlenecks                       . . x x x . . .
page      /duplicates                        . . x x x . . .
page      /hotspots                          . . x x x . . .
page      /gaming                            . . x x x . . .
page      /explain                           . x x x x x x x
page      /stations                          . x x x x x . x
page      /stations/<item>                   . x x x x x . x
page      /feeds                             . x x x x x x x
page      /feeds/<item>                      . x x x x x x x
page      /kpis                              . x x x x x x x
page      /indices                           . x x x x x x x
page      /signals                           . x x x x x x x
page      /weekly                            . x x x x x x x
page      /wall                              x x x x x x . x whole
page      /wall/<scene>                      x x x x x x . x whole
page      /audit                             . . . . . . x .
page      /admin                             . . . . . . . x
page      /admin/keys                        . . . . . . . x
fill      admin                              . . . . . . . x
fill      admin_keys                         . . . . . . . x
callback  people-list.children               . . . . . . . x whole
callback  people-sheet.children              . . . . . . . x whole
callback  keys-list.children                 . . . . . . . x whole
callback  keys-sheet.children                . . . . . . . x whole
fill      desk                               . x x x x x x x
fill      dossiers                           . . x x x . . .
fill      dossier                            . . x x x . . .
fill      reports                            . . x x x . . .
fill      report                             . . x x x . . .
fill      map                                . x x x x x x x
fill      at_risk                            . . x x x . . .
fill      bottlenecks                        . . x x x . . .
fill      duplicates                         . . x x x . . .
fill      hotspots                           . . x x x . . .
fill      gaming                             . . x x x . . .
fill      explain                            . x x x x x x x
fill      stations                           . x x x x x . x
fill      station                            . x x x x x . x
fill      feeds                              . x x x x x x x
fill      feed                               . x x x x x x x
fill      kpis                               . x x x x x x x
fill      indices                            . x x x x x x x
fill      signals                            . x x x x x x x
fill      weekly                             . x x x x x x x
fill      explore                            . . x x x . . .
callback  explore-go.href                    . . x x x . . .
callback  explore-said.children              . . x x x . . .
callback  explore-stopped.children           . . x x x . . .
callback  map-spots.data                     . x x x x x x x
callback  map-areas.hideout                  . x x x x x x x
callback  map-told.children                  . x x x x x x x
callback  signals-refresh.data               . . x x . . . x whole
callback  duplicates-refresh.data            . . . x x . . .
callback  weekly-refresh.data                . . x x x . . .
fill      audit                              . . . . . . x . whole
callback  desk-url.search                    . x x x x x x x
callback  desk-url.href                      . . x x x . . .
callback  desk-file.data                     . . . x x x . x whole
callback  wall-page.children                 x x x x x x . x
callback  audit-refresh.data                 . . . . . . x . whole
json      /metrics                           . x x x x x x x
json      /api/openapi.json                  . . . x x . x x
json      /api/v1/kpis                       . . . x x . x x
json      /api/v1/catalogue                  . . . x x . x x
json      /api/v1/signals                    . . . x x . x x
json      /api/v1/gaming                     . . . x x . . .
json      /api/v1/explain                    . . . x x . x x
json      /api/v1/weekly                     . . . x x . x x
json      /api/v1/weekly/tables              . . . x x . x x
paper     /api/v1/weekly.pdf                 . . x x x . x .
paper     /api/v1/weekly.xlsx                . . x x x . x .
json      /api/v1/followups                  . . . x x . x x
json      /api/v1/annotations                . . . x x . x x
json      /api/v1/briefs                     . . . x x . x x
paper     /api/v1/briefs/{key}.pdf           . . x x x . . . whole
paper     /api/v1/briefs/{key}.xlsx          . . x x x . . . whole
json      /api/v1/places                     . . . x x . x x
json      /api/v1/series                     . . . x x . x x
json      /api/v1/explore                    . . . x x . . .
json      /api/v1/score                      . . . x x . x x
json      /api/v1/form-06a                   . . . x x . x x
json      /api/v1/at-risk                    . . . x x . . .
json      /api/v1/dossiers                   . . . x x . . .
json      /api/v1/bottlenecks                . . . x x . . .
json      /api/v1/dossiers/{key:path}        . . . x x . . .
json      /api/v1/reports                    . . . x x . . .
paper     /api/v1/reports.geojson            . . x x x . . .
paper     /api/v1/stations.geojson           . . x x x . . .
paper     /api/v1/exports/{key}              . . x x x . x .
json      /api/v1/duplicates                 . . . x x . . .
json      /api/v1/hotspots                   . . . x x . . .
json      /api/v1/reports/{key:path}         . . . x x . . .
json      /api/v1/readings                   . . . x x . . x
json      /api/v1/stations                   . . . x x . . x
json      /api/v1/indicators                 . . . x x . x x
json      /api/v1/feeds                      . . . x x . x x
file      /api/v1/kpis                       . . x x x . x .
file      /api/v1/catalogue                  . . x x x . x .
file      /api/v1/weekly/tables              . . x x x . x .
file      /api/v1/followups                  . . x x x . x .
file      /api/v1/annotations                . . x x x . x .
file      /api/v1/briefs                     . . x x x . x .
file      /api/v1/series                     . . x x x . x .
file      /api/v1/explore                    . . x x x . . .
file      /api/v1/score                      . . x x x . x .
file      /api/v1/form-06a                   . . x x x . x .
file      /api/v1/at-risk                    . . x x x . . .
file      /api/v1/dossiers                   . . x x x . . .
file      /api/v1/bottlenecks                . . x x x . . .
file      /api/v1/gaming                     . . x x x . . .
file      /api/v1/explain                    . . x x x . x .
file      /api/v1/reports                    . . x x x . . .
file      /api/v1/duplicates                 . . x x x . . .
file      /api/v1/hotspots                   . . x x x . . .
file      /api/v1/readings                   . . x x x . . .
file      /api/v1/stations                   . . x x x . . .
file      /api/v1/indicators                 . . x x x . x .
file      /api/v1/feeds                      . . x x x . x .
json      /api/v1/audit                      . . . . . . x . whole
file      /api/v1/audit                      . . . . . . x . whole
stream    /live/wall                         x x x x x x . x whole
stream    /live/ticks                        . x x x x x x x
"""
# addresses no role decides about: who may pass
OTHERS = {
    "/healthz": "anyone", "/readyz": "anyone",
    "/ingest/{feed}": "feed key", "/ingest/{feed}/login": "feed password",
    "/sign-in": "form", "/sign-out": "form", "/first-run": "form", "/account": "form",
    "/assets": "anyone", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}": "anyone", "/_favicon.ico": "anyone",
    "/_dash-layout": "signed in", "/_dash-dependencies": "signed in", "/_dash-update-component": "signed in", "/_reload-hash": "signed in",
    "/api/{rest:path}": "lost", "/ingest/{rest:path}": "lost", "/live/{rest:path}": "lost",
    "/{path:path}": "pages",  # all pages are one route; each is a row of the table
}
# Dash's own: which page is drawn (an empty skeleton), and the title of the window
OWN_CALLBACKS = ("_pages_content.children", "_pages_dummy.children")
# an example of each address with a place to fill: the item inside, the same outside
ITEMS = {
    "/dossiers/<item>": ("/dossiers/one_stop~H0-zagin-zarin", "/dossiers/one_stop~H0-zagout-zarout"),
    "/reports/<item>": ("/reports/feedback~PA0-zagin-zarin", "/reports/feedback~PA0-zagout-zarout"),
    "/stations/<item>": ("/stations/air~S-zarin", "/stations/air~S-zarout"),
    "/feeds/<item>": ("/feeds/one_stop", "/feeds/one_stop"),
    "/wall/<scene>": ("/wall/one_stop", "/wall/one_stop"),
    "/api/v1/dossiers/{key:path}": ("/api/v1/dossiers/H0-zagin-zarin", "/api/v1/dossiers/H0-zagout-zarout"),
    "/api/v1/reports/{key:path}": ("/api/v1/reports/PA0-zagin-zarin", "/api/v1/reports/PA0-zagout-zarout"),
    "/api/v1/exports/{key}": ("/api/v1/exports/1-2", "/api/v1/exports/1-2"),
    **{f"/api/v1/briefs/{{key}}.{form}": (f"/api/v1/briefs/1.{form}", f"/api/v1/briefs/1.{form}") for form in ("pdf", "xlsx")},
}
# where a page's callback is told it is
PATHS = {
    "desk": "/", "dossier": ITEMS["/dossiers/<item>"][0], "report": ITEMS["/reports/<item>"][0], "station": ITEMS["/stations/<item>"][0],
    "feed": "/feeds/one_stop", "admin_keys": "/admin/keys", "at_risk": "/at-risk",
}
# the questions each address of figures and lists is asked, so that a mark hidden in one grouping shows
QUERIES = {
    "/api/v1/series": (
        "key=dossiers_overdue&by=agency", "key=dossiers_open&by=area", "key=dossiers_received&by=domain&period=2026-AQ4",
        "key=reports_open&by=agency", "key=reports_open&by=area", "key=reports_received&by=category", "key=reports_open&by=day",
        "key=reports_resolve_days_median&by=category&period=last_30d", "key=vn_aqi&by=day&period=2026-11-18..2026-11-20",
        "key=dossiers_finished&by=week&period=2026-11",
    ),
    "/api/v1/explore": (
        "", "by=area&period=2026-AQ4", "by=procedure&period=2026-AQ4", "measures=dossiers_open&by=domain", "measures=reports_open&by=area",
        "measures=reports_received&by=category,agency&period=last_30d", "agency=H99.2", "area=00002", "q=zagout",
        "measures=readings_n&by=station&period=2026-11", "measures=readings_n&by=area&period=2026-11",
    ),
    "/api/v1/followups": ("", "week=2026-W47", "state=open"), "/api/v1/annotations": ("period=2026-11", "area=00002&period=2026-11"),
    "/api/v1/weekly": ("", "period=2026-W47"), "/api/v1/weekly/tables": ("", "period=2026-W46"),
    "/api/v1/signals": ("", "agency=H99.2", "area=00002", "keys=dossiers_received&period=2026-10"),
    "/api/v1/gaming": ("", "agency=H99.2", "rule=before_due&office=H99.2", "rule=bulk&office=H99.2&period=2026-11"),
    "/api/v1/explain": ("", "agency=H99.2", "area=00002", "period=2026-11-18&hours=8..17", "key=reports_received&period=2026-W46"),
    "/api/v1/kpis": ("", "agency=H99.2", "area=00002", "period=last_30d", "domain=D-out", "category=C-out"),
    "/api/v1/at-risk": ("", "agency=H99.2", "area=00002", "q=H0-zagout"),
    "/api/v1/bottlenecks": ("", "period=2026-AQ4", "agency=H99.2", "procedure=P-out"),
    "/api/v1/dossiers": (
        "", "state=open", "agency=H99.2", "area=00002", "q=H0-zagout", "state=open&sort=agency", "agency=!H99.2&timeliness=!late&q=zagout",
    ),
    "/api/v1/reports": ("", "state=open", "agency=H99.2", "area=00002", "q=PA0-zagout", "sort=-area", "q=zarout&closed=-", "q=zwords"),
    "/api/v1/places": (
        "", "layer=reports&state=received", "layer=density", "layer=stations", "layer=areas&key=reports_open", "layer=reports&area=00002",
    ),
    "/api/v1/duplicates": ("", "agency=H99.2", "area=00002", "state=merged"),
    "/api/v1/hotspots": ("", "by=cell", "agency=H99.2", "area=00002&period=last_30d"),
    "/api/v1/readings": ("period=2026-11-18..2026-11-20", "area=00002", "station=S-zarout"),
    "/api/v1/stations": ("", "area=00002", "q=zarout&sort=area"),
    "/api/v1/indicators": ("", "agency=H99.2", "area=00002", "subject=H99.2", "indicator=zindex", "year=2025"),
}


@dataclass(frozen=True)
class Line:
    """One line of the table: who may, and whether limits on agencies or areas shut it."""

    kind: str
    address: str
    roles: frozenset[str]
    whole: bool

    def admits(self, role: str, limits: tuple[str, ...]) -> bool:
        """May a caller of this role, with these limits?"""
        return role in self.roles and not (self.whole and limits)


def lines() -> tuple[Line, ...]:
    """The table, read."""
    found = []
    for text in TABLE.strip().splitlines():
        if not text.startswith("#"):
            kind, address, *marks = text.split()
            roles = frozenset(role for role, mark in zip(COLUMNS, marks, strict=False) if mark == "x")
            assert len(marks) in (8, 9) and set(marks[:8]) <= {"x", "."} and marks[8:] in ([], ["whole"]), text
            found.append(Line(kind, address, roles, len(marks) == 9))
    return tuple(found)


LINES = lines()


def of_kind(*kinds: str) -> tuple[Line, ...]:
    """The lines of these kinds."""
    return tuple(line for line in LINES if line.kind in kinds)
