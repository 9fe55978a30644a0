"""The command that learns which open dossiers may miss their due date, and says how well."""

from __future__ import annotations

import typer

from commands.terminal import City, Shift, StoreUrl, get_ready, settle
from metrics.at_risk.judging import Judgement
from metrics.city.findings.at_risk_learning import relearn
from pipeline import utc_now
from store.days import moment

risk_cli = typer.Typer()


@risk_cli.command("risk")
def risk_command(city: City = None, store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """Learn the at-risk model anew, judge it on the newest part of the past, keep it; prints the judgement."""
    config, opened = settle(city, store, shift_to_now)
    get_ready(opened, config, "risk")
    found = relearn(opened, config, utc_now())
    opened.dispose()
    typer.echo(f"the queue is ranked by: {found.ranked_by}; learned from {found.dossiers} dossiers of {found.of_all}")
    if found.judgement is not None:
        for line in judgement_lines(found.judgement):
            typer.echo(line)


def judgement_lines(one: Judgement) -> list[str]:
    """A judgement as lines of text."""
    lines = [
        f"split {moment(one.split_at):%Y-%m-%d %H:%M} UTC",
        f"before it {one.trained_dossiers} dossiers in {one.trained_looks} looks, {one.trained_rate:.1%} missed",
        f"after it {one.judged_dossiers} dossiers in {one.judged_looks} looks, {one.judged_rate:.1%} missed "
        f"({one.missed_dossiers} dossiers)",
        f"{one.unresolved} looks left out, their outcome not known in time",
        f"log-loss of the model {one.loss:.4f}, ranking (AUC) {one.ranking:.3f}",
    ]
    lines += [f"log-loss of {row.baseline} {row.loss:.4f}, gain {row.gain:.4f} [{row.low:.4f}, {row.high:.4f}]" for row in one.gains]
    lines.append("better than both baselines" if one.is_better else "no better than baseline")
    return lines + [
        f"predicted {row.predicted:6.1%}  came {row.observed:6.1%} [{row.low:.1%}, {row.high:.1%}]  {row.looks} looks, "
        f"{row.dossiers} dossiers"
        for row in one.calibration
    ]
