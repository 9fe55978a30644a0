"""Every city file in examples/ loads without fault, and every mapping in it can be used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import load_config
from data_sources.feed import RawBatch
from data_sources.registry import protocol_of
from tests.servers import ROOT

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CITIES = sorted((ROOT / "examples").glob("*/city.toml"))


def test_the_promised_examples_are_there() -> None:
    assert {"boston", "chicago", "hanoi", "pci", "quang_ninh", "seeds"} <= {path.parent.name for path in CITIES}


@pytest.mark.parametrize("path", CITIES, ids=lambda path: path.parent.name)
def test_an_example_loads_and_its_mappings_compile(path: Path) -> None:
    config = load_config(path, {})
    for manifest in config.feeds:
        found = protocol_of(manifest).parse(manifest, RawBatch([]), NOW)
        assert (found.item_count, found.rejects) == (0, ())


@pytest.mark.parametrize("path", CITIES, ids=lambda path: path.parent.name)
def test_an_example_says_whose_data_it_is_and_under_which_terms(path: Path) -> None:
    for manifest in load_config(path, {}).feeds:
        assert manifest.owner and manifest.licence and manifest.title, manifest.key
