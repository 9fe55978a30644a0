"""/api/v1/explore over real HTTP: the page's own answer as JSON and as files, and what it says when it cannot answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import httpx
import pytest

from metrics.city import explore, open_city
from metrics.city.explore import Question
from metrics.city.lists.filters import parse
from metrics.periods import parse_period
from scope import DEMO_SCOPE
from tests.servers import LiveServer
from tests.small_city import CONFIG, NOW, open_filled
from tests.test_api import serve

ASKED = {
    "measures": "dossiers_received,dossiers_open", "by": "agency,week", "period": "2026-11", "compare": "previous", "channel": "!online",
}


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def served(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[tuple[httpx.Client, object]]:
    store = open_filled(request.param, make_database)
    server = serve(lambda app: LiveServer(app).start(), store)
    with httpx.Client(base_url=server.url) as client:
        yield client, store
    server.stop()
    store.dispose()


def test_the_api_says_what_the_question_answers(served: tuple[httpx.Client, object]) -> None:
    client, store = served
    city = open_city(store, CONFIG, DEMO_SCOPE, NOW)  # type: ignore[arg-type]
    question = Question(
        ("dossiers_received", "dossiers_open"), ("agency", "week"), parse_period("2026-11", city.today),
        parse("dossiers", {"channel": "!online"}), compare="previous",
    )
    wanted, told = explore.read(city, question), client.get("/api/v1/explore", params=ASKED).json()
    assert [(row["groups"], [f["value"] for f in row["figures"]]) for row in told["rows"]] == [
        (list(row.groups), [figure.value for figure in row.figures]) for row in wanted.rows
    ]
    assert [row["groups"] for row in told["totals"]] == [list(row.groups) for row in wanted.totals] and len(told["totals"]) > 3
    assert (told["coverage"], told["rows_read"], told["is_read"]) == (wanted.coverage, wanted.rows_read, True)
    assert told["previous_period"] and told["measures"][0]["label"] and told["revision"] == city.revision


def test_a_file_holds_the_rows_and_the_totals(served: tuple[httpx.Client, object]) -> None:
    client, _ = served
    told = client.get("/api/v1/explore", params=ASKED).json()
    rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/explore.csv", params=ASKED).text.removeprefix("\ufeff"))))
    assert len(rows) == len(told["rows"]) + len(told["totals"])
    assert [row["agency"] for row in rows if row["is_total"] == "0"] == [row["groups"][0] for row in told["rows"]]
    assert [float(row["dossiers_open"]) for row in rows[: len(told["rows"])]] == [row["figures"][1]["value"] for row in told["rows"]]
    for form in ("xlsx", "parquet"):
        assert client.get(f"/api/v1/explore.{form}", params=ASKED).status_code == 200


def test_without_parameters_it_tells_this_month_by_agency(served: tuple[httpx.Client, object]) -> None:
    told = served[0].get("/api/v1/explore").json()
    assert told["by"] == ["agency"] and told["measures"][0]["key"] == "dossiers_received" and told["rows"]


@pytest.mark.parametrize(
    ("query", "field"),
    (
        ("measures=nonsense", "measures"), ("measures=dossiers_received,reports_received", "measures"), ("by=moon", "by"),
        ("measures=dossiers_open&by=hour", "by"), ("top=-1", "top"), ("known_at=yesterday", "known_at"), ("category=x", "category"),
        ("measures=readings_mean&by=area", "property"), ("channel=-&received=soon", "received"), ("compare=never", "compare"),
    ),
)
def test_what_cannot_be_asked_is_refused_naming_the_parameter(served: tuple[httpx.Client, object], query: str, field: str) -> None:
    answer = served[0].get(f"/api/v1/explore?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text


def test_what_is_not_covered_is_told_as_an_estimate(served: tuple[httpx.Client, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.city.explore.cover.MOST_INDEXED", 1)
    client, _ = served
    first = client.get("/api/v1/explore?by=procedure").json()
    assert (first["is_read"], first["coverage"], first["rows"]) == (False, "read", []) and first["estimate"] > 1
    file = client.get("/api/v1/explore.csv?by=procedure")
    assert (file.status_code, file.json()["error"]["code"]) == (400, "not_covered")
    assert client.get("/api/v1/explore?by=procedure&read=yes").json()["rows"]
