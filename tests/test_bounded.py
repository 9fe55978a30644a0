"""Reading with an end: it gives up in time, can be stopped by whoever asked, writes nothing, and leaves its connection as it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.bounded import Stopped, TookTooLong, asked_now, bounded, stop
from store.engine import Store, open_store
from store.migrate import migrate
from tests.small_city import TZ

ENDLESS = text("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n")


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def test_a_reading_gives_up_when_its_time_is_over(store: Store) -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong), bounded(store, 0.2) as connection:
        connection.execute(ENDLESS)
    assert time.monotonic() - began < 2


def test_the_time_is_that_of_all_statements_together(store: Store) -> None:
    with pytest.raises(TookTooLong), bounded(store, 0.2) as connection:
        until = time.monotonic() + 0.15
        while time.monotonic() < until:
            connection.execute(text("SELECT count(*) FROM core_agency")).all()
        connection.execute(ENDLESS)


def test_waiting_for_others_counts(store: Store) -> None:
    with pytest.raises(TookTooLong), bounded(store, 0.2, since=asked_now() - 0.3):
        raise AssertionError("it was begun")


def test_whoever_asked_can_stop_it(store: Store) -> None:
    begun = threading.Event()
    stopper = threading.Thread(target=lambda: (begun.wait(5), time.sleep(0.1), stop(store, "page-1")))
    stopper.start()
    with pytest.raises(Stopped), bounded(store, 20, "page-1") as connection:
        begun.set()
        connection.execute(ENDLESS)
    stopper.join()
    assert "page-1" not in store.running


def test_another_process_can_stop_it_where_there_are_several(store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("one web process serves a SQLite file")
    other = open_store(store.engine.url.render_as_string(hide_password=False), TZ)  # knows nothing of what runs in the first
    begun = threading.Event()
    stopper = threading.Thread(target=lambda: (begun.wait(5), time.sleep(0.1), stop(other, "page-2")))
    stopper.start()
    with pytest.raises(Stopped), bounded(store, 20, "page-2") as connection:
        begun.set()
        connection.execute(ENDLESS)
    stopper.join()
    other.dispose()


def test_nothing_is_written_in_it(store: Store) -> None:
    with pytest.raises(DBAPIError), bounded(store, 5) as connection:
        connection.execute(text("INSERT INTO ops_clock (name, at) VALUES ('x', 1)"))


def test_a_connection_goes_back_as_it_was(store: Store) -> None:
    with pytest.raises(TookTooLong), bounded(store, 0.05, "page-3") as connection:
        connection.execute(ENDLESS)
    with store.writing() as connection:
        connection.execute(text("INSERT INTO ops_clock (name, at) VALUES ('after', 1) ON CONFLICT (name) DO NOTHING"))
    with store.reading() as connection:
        assert connection.execute(text("SELECT at FROM ops_clock WHERE name = 'after'")).scalar_one() == 1


def test_a_fault_of_the_statement_stays_a_fault(store: Store) -> None:
    with pytest.raises(DBAPIError), bounded(store, 5) as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
