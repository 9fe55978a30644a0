"""Runs the benchmarks: `python -m benchmarks [NAME ...] [--quick] [--engine sqlite|postgresql] [--postgres URL]`; no name = all."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import fill
from benchmarks.databases import ENGINES, databases
from benchmarks.results import Figure, machine, table


@dataclass(frozen=True)
class Bench:
    """One benchmark: module benchmarks/<name>.py with run(databases, quick) -> figures."""

    name: str
    says: str
    engines: tuple[str, ...] = ENGINES


BENCHES = (
    Bench("ingest", "rows/s with roll-ups tracked and folded against without; goal >= 0.85"),
    Bench("reads", "roll-up reads at ten times the history against once; goal <= 1.2"),
    Bench("live", "commit to pixel with 1, 20, 100 screens; goal p95 <= 250 ms, push <= 5 % of a core"),
    Bench("paint", "first paint and bytes of the wall and the desk, beside a bare Dash page", ("sqlite",)),
    Bench("signals", "false signals per rule on shuffled real series, beside theory", ("sqlite",)),
    Bench("unusual", "what /gaming and /explain mark on shuffled real data, beside theory", ("sqlite",)),
    Bench("catalogue", "all KPIs of a week at 2M dossiers, 8 clients asking without pause while ingest runs; goal p95 <= 100 ms"),
    Bench("brief", "PDF and workbook of the leaders' week, 60 agencies and 12 weeks; goal <= 5 CPU s, <= 20x reading its numbers"),
    Bench("duplicates", "duplicate candidates against those Chicago marked: learned on the first years, judged on the later", ("sqlite",)),
    Bench("map", "50 000 open reports on the map in Chromium: frames and long tasks of a pan, pan to answer drawn; goal frame <= 50 ms"),
    Bench("drill", "8 analysts drilling down at 2M dossiers while ingest runs: p95 by class; x10 of the history; goal <= 300 ms"),
    Bench("answers", "KPI API answers a second with 1, 8, 32 clients, beside the same sums over core rows"),
)


def main() -> None:
    """Run what was asked for and print one table; `fill` makes a large store and measures nothing."""
    if sys.argv[1:2] == ["fill"]:
        return _fill(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", epilog="\n".join(f"{b.name}: {b.says}" for b in BENCHES),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *(b.name for b in BENCHES)], help="benchmarks to run; none = all")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; the figures mean little")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this engine")
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL to make databases on; without it one is started")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    given = parser.parse_args()
    figures: list[Figure] = []
    for bench in BENCHES:
        if not given.names or bench.name in given.names:
            figures += _run(bench, given)
    said = f"{machine()}\n\n{table(figures)}\n"
    print("\n" + said)
    if given.out:
        given.out.write_text(said, encoding="utf-8")


def _fill(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fill", description=fill.__doc__)
    for name, default in (("dossiers", 2_000_000), ("reports", 100_000), ("datastreams", 1000), ("days", 365)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--store", required=True, help="URL of the store to make; migrated first")
    fill.main(parser.parse_args(words))


def _run(bench: Bench, given: argparse.Namespace) -> list[Figure]:
    found: list[Figure] = []
    module = importlib.import_module(f"benchmarks.{bench.name}")
    for engine in given.engine or bench.engines:
        if engine not in bench.engines:
            continue
        began = time.perf_counter()
        with databases(engine, given.postgres) as made:
            for figure in module.run(made, given.quick):
                print(f"{figure.bench} {figure.engine}: {figure.what} = {figure.value:.4g} {figure.measure_unit} {figure.note}", flush=True)
                found.append(figure)
        print(f"{bench.name} on {engine}: {time.perf_counter() - began:.0f} s", flush=True)
    return found


if __name__ == "__main__":
    main()
