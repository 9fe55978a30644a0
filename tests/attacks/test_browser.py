"""Attack: markup in everything that feeds bring, seen in a real browser; and every page under the policy, which nothing may violate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app import make_app
from auth import COOKIE
from metrics.rollups import clock_step, drain
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import DAY, HOUR
from store.engine import open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import (
    AgencyRow,
    AreaRow,
    CategoryRow,
    DatastreamRow,
    DossierRow,
    Parsed,
    ProcedureRow,
    ReadingRow,
    Reject,
    ReportRow,
    StationRow,
    StepRow,
)
from tests.attacks.conftest import World
from tests.conftest import Pages
from tests.rights_city import AT, CONFIG, NOW, TZ, make_people
from tests.servers import serve_asgi

EVIL = (
    "<script>window.__hit=1</script>",
    "<img src=x onerror=window.__hit=1>",
    '"><svg onload=window.__hit=1>',
    "javascript:window.__hit=1",
    "[click](javascript:window.__hit=1)",
    "'-window.__hit-'",
    "</style><script>window.__hit=1</script>",
    "{{constructor.constructor('window.__hit=1')()}}",
    "<iframe srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<a href=javascript:window.__hit=1>x</a>",
    "</script><script>window.__hit=1</script>",
)
WATCH = """window.__violations = []; document.addEventListener('securitypolicyviolation',
  event => window.__violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));"""
FOREIGN = (
    "document.querySelectorAll('iframe, object, embed, base, a[href^=\"javascript:\" i], img[src=\"x\"], svg[onload], [onerror]').length"
)
PLACES = (
    "/", "/dossiers", "/reports", "/stations", "/feeds", "/feeds/one_stop", "/kpis", "/wall", "/wall/feedback", "/wall/environment",
    "/wall/one_stop",
)
LISTS = ("/dossiers", "/reports", "/stations")  # whose first items are opened, too


def evil(number: int) -> str:
    """One of them, with a letter in front so that it is taken as a name."""
    return f"x{EVIL[number % len(EVIL)]}"


@pytest.fixture(scope="module")
def poisoned(make_database: Callable[..., str]) -> Iterator[World]:
    """A world in which every word a feed can bring is markup."""
    store = open_store(make_database("sqlite"), TZ)
    migrate(store)
    agencies = [AgencyRow(f"H99.{n}", evil(n), "", "department") for n in range(len(EVIL))]
    store.write(lambda connection: put_agencies(connection, agencies))
    store.write(lambda connection: put_procedures(connection, [ProcedureRow("P1", evil(1), "D1", evil(2))]))
    store.write(lambda connection: put_categories(connection, [CategoryRow("C1", evil(0))]))
    square = {"type": "Polygon", "coordinates": [[[105.0, 21.0], [106.0, 21.0], [106.0, 22.0], [105.0, 22.0], [105.0, 21.0]]]}
    area = AreaRow("00001", evil(1), evil(1), lon=105.5, lat=21.5, geometry=square)
    land(store, Parsed(areas=(area,), item_count=1), Landing("communes", "areas", AT - 20 * DAY))
    dossiers = tuple(
        DossierRow(
            f"{n}{EVIL[n]}", agency=f"H99.{n}", procedure_code="P1", procedure_name=evil(n), domain_code="D1", domain_name=evil(n),
            status=4, received_at=AT - 9 * DAY, due_at=AT - n * HOUR, version=1,
        ) for n in range(len(EVIL))
    )
    steps = tuple(StepRow(row.source_id, AT - 8 * DAY, evil(n), evil(n + 1)) for n, row in enumerate(dossiers))
    payload = {"a<script>window.__hit=1</script>": "<script>window.__hit=1</script>"}
    rejects = tuple(Reject(evil(n), evil(n), "bad_row", evil(n), payload) for n in range(4))
    hour = AT - HOUR // 4
    land(store, Parsed(dossiers=dossiers, steps=steps, rejects=rejects, item_count=9), Landing("one_stop", "one_stop", hour))
    reports = tuple(
        ReportRow(
            f"{n}{EVIL[n]}", "C1", category_name=evil(n), agency="H99.1", status="new", received_at=AT - 3 * DAY, due_at=AT - DAY,
            area="00001", lon=105.5, lat=21.5, description=evil(n), resolution=evil(n + 1), channel=evil(n), version=1,
        ) for n in range(len(EVIL))
    )
    land(store, Parsed(reports=reports, item_count=9), Landing("feedback", "feedback", hour))
    stations = (StationRow(f"s{EVIL[1]}", evil(1), "air", 105.5, 21.5, area="00001"),)
    streams = (DatastreamRow(f"d{EVIL[1]}", f"s{EVIL[1]}", "pm25", "µg/m³", evil(1)),)
    readings = tuple(ReadingRow(f"d{EVIL[1]}", AT - n * HOUR, 10.0 + n) for n in range(24))
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings, item_count=9), Landing("air", "sensors", hour))
    clock_step(store, AT)
    drain(store, AT)
    people = make_people(store)
    app = make_app(replace(CONFIG, name=f"T{EVIL[0]}"), store, now=lambda: NOW)
    with serve_asgi(app.server) as live:
        yield World(live.url, app, store, people)
    store.dispose()


# an image of the markup's own address, asked for after it: once it has failed so has the markup's, and what that would run has run
PROBE = """() => new Promise(done => { const last = new Image(); last.onerror = last.onload = done; last.src = 'x'; })
  .then(() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))))"""


def opened(page: Pages, world: World, role: str) -> Any:
    """A browser page of that user, which notes what the policy refuses."""
    made = page(allow=("status of 40[34]",))
    become(made, world, role)
    made.add_init_script(WATCH)
    made.on("dialog", lambda dialog: page.faults.append(f"a dialog: {dialog.message}"))
    return made


def become(made: Any, world: World, role: str) -> None:
    """From the next page on the browser is that user's; '' = nobody's."""
    made.context.clear_cookies()
    made.context.add_cookies([{"name": COOKIE, "value": world.caller(role).token, "url": world.url}] if role else [])


def settle(made: Any) -> None:
    """Until the page is filled, the wall with its first frame, and all its markup could do is done."""
    made.wait_for_selector(".d-content, .wall[data-connection=live], .f-main, .wall-message", state="attached", timeout=60_000)
    made.evaluate(PROBE)


def look(made: Any) -> None:
    """Nothing ran, nothing foreign stands in the page, nothing was refused by the policy."""
    assert made.evaluate("window.__hit") is None, made.url
    assert made.evaluate(FOREIGN) == 0, made.url
    assert made.evaluate("window.__violations") == [], made.url


def test_markup_that_feeds_bring_stays_text_on_every_page(page: Pages, poisoned: World) -> None:
    made = opened(page, poisoned, "operator")
    seen = ""
    paths = list(PLACES)
    for path in paths:
        made.goto(poisoned.url + path)
        settle(made)
        look(made)
        seen += made.inner_text("body")
        if path in LISTS:
            links = made.eval_on_selector_all(f"a[href*='{path}/']", "nodes => [...new Set(nodes.map(node => node.getAttribute('href')))]")
            assert links, f"no links to the items of {path}"
            paths += links[:4]
    assert "onerror=window.__hit" in seen and "<script>window.__hit" in seen, "the markup is on the pages, as text"


def test_every_page_keeps_to_the_policy(page: Pages, poisoned: World) -> None:
    made = opened(page, poisoned, "")
    for role, paths in (
        ("operator", ("/account", "/sign-out", "/dossiers?state=overdue", "/dossiers/nothing", "/wall?theme=light", "/nothing")),
        ("auditor", ("/audit",)), ("admin", ("/admin", "/feeds")), ("viewer", ("/", "/dossiers")), ("display", ("/wall",)),
        ("", ("/sign-in", "/", "/first-run")),
    ):
        become(made, poisoned, role)
        for path in paths:
            made.goto(poisoned.url + path)
            settle(made)
            look(made)


def test_an_inline_script_does_not_run_even_if_markup_got_through(page: Pages, poisoned: World) -> None:
    made = page(allow=("Content Security Policy", "Failed to load resource"))
    made.context.add_cookies([{"name": COOKIE, "value": poisoned.caller("operator").token, "url": poisoned.url}])
    made.add_init_script(WATCH)
    made.goto(f"{poisoned.url}/kpis")
    settle(made)
    made.evaluate("""() => {
        const script = document.createElement('script'); script.textContent = 'window.__hit = 1'; document.body.append(script);
        const box = document.createElement('div'); box.innerHTML = '<img src=x onerror="window.__hit = 2">'; document.body.append(box);
        const far = document.createElement('script'); far.src = 'data:text/javascript,window.__hit=3'; document.body.append(far);
        // later: a debugger's own call is let through
        setTimeout(() => { try { (0, eval)('window.__hit = 4') } catch (refused) { window.__eval = 'refused' } }, 0);
    }""")
    made.wait_for_function("() => window.__violations.length >= 4")
    assert made.evaluate("window.__hit") is None and made.evaluate("window.__eval") == "refused"
