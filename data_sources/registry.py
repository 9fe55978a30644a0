"""Which client and parser serve each (role, protocol): the one list of feed kinds."""

from __future__ import annotations

from config import FeedConfig
from data_sources.areas import geojson
from data_sources.csv_file import csv_client
from data_sources.feed import FeedError, Protocol
from data_sources.feedback import client_open311
from data_sources.feedback.parse import parse_open311, parse_table
from data_sources.indicators.table import parse_table as parse_indicators
from data_sources.indicators.table import read_table as read_indicators
from data_sources.indicators.workbook import read_workbook
from data_sources.one_stop import portal, table
from data_sources.sensors import client_sensorthings
from data_sources.sensors.parse import parse_sensorthings
from data_sources.sensors.table import parse_table as parse_sensor_table
from data_sources.sensors.table import read_table

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("one_stop", "portal", portal.parse),
    Protocol("one_stop", "csv", table.parse, csv_client),
    Protocol("feedback", "open311", parse_open311, client_open311.read),
    Protocol("feedback", "csv", parse_table, csv_client),
    Protocol("sensors", "sensorthings", parse_sensorthings, client_sensorthings.read),
    Protocol("sensors", "csv", parse_sensor_table, read_table),
    Protocol("areas", "geojson", geojson.parse_geojson, geojson.read_geojson),
    Protocol("indicators", "csv", parse_indicators, read_indicators),
    Protocol("indicators", "xlsx", parse_indicators, read_workbook),
)


def protocol_of(feed: FeedConfig) -> Protocol:
    """The row that serves a feed. Raises FeedError naming the feed and what there is."""
    for row in PROTOCOLS:
        if (row.role, row.protocol) == (feed.role, feed.protocol):
            return row
    known = ", ".join(f"{row.role}/{row.protocol}" for row in PROTOCOLS)
    raise FeedError(f"feed {feed.key!r}: no reader for {feed.role}/{feed.protocol}; there are: {known}")
