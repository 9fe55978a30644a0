"""Risk, the numbers: working time of many instants, what was known when, no leak from the future, the judgement, what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pytest

from config.workcalendar import make_calendar
from metrics.at_risk import judging
from metrics.at_risk.clock import NEVER, positions
from metrics.at_risk.features import NAMES, look, usual_at
from metrics.at_risk.history import History, known, outcomes
from metrics.at_risk.judging import Gain, calibration, interval, ranking
from metrics.at_risk.kept import from_json, to_json
from metrics.at_risk.learning import Learned, instants, learn, split_of, take
from metrics.at_risk.model import fit, sigmoid
from metrics.at_risk.reasons import GROUPS, reasons
from metrics.worktime import working_seconds
from store.days import DAY, HOUR, instant
from tests.risk_history import CALENDAR, made_up, scrambled


@lru_cache(maxsize=1)
def usual_case() -> tuple[History, Learned]:
    history = made_up()
    learned = learn(history)
    assert learned is not None
    return history, learned


def test_positions_give_the_working_time_of_the_one_engine() -> None:
    rng = np.random.default_rng(3)
    dutch = make_calendar("Europe/Amsterdam", country="NL", hours=("08:30-17:00",))
    first = datetime(2025, 3, 1, tzinfo=UTC)
    for calendar in (CALENDAR, dutch):
        moments = [first + timedelta(seconds=int(second)) for second in rng.integers(0, 500 * 86_400, 200)]
        found = positions(calendar, np.array([instant(moment) for moment in moments]), (2025, 2027))
        for a, b, worked in zip(moments, moments[1:], np.diff(found), strict=False):
            assert worked == pytest.approx(working_seconds(calendar, a, b), abs=1e-3)
    assert positions(CALENDAR, np.array([NEVER]), (2025, 2026)).tolist() == [np.inf]


def test_missed_is_ended_or_still_running_after_the_due_date_and_is_known_from_then_on() -> None:
    history = made_up(4)
    as_of, due = history.as_of, np.full(4, history.as_of - 5 * DAY)
    due[3] = history.as_of + DAY
    finished = np.array([due[0] - HOUR, due[1] + HOUR, NEVER, NEVER])
    found = outcomes(replace(history, received=due - 20 * DAY, due=due, finished=finished, stops=history.stops.take(history.stops.at < 0)))
    assert found.missed.tolist() == [False, True, True, False]
    assert found.known_at.tolist() == [due[0] - HOUR, due[1], due[2], NEVER]
    assert as_of < NEVER


def test_who_waits_for_the_applicant_is_judged_at_the_start_of_the_wait() -> None:
    history = made_up(2)
    due = np.full(2, history.as_of - 5 * DAY)
    stops = replace(history.stops, owner=np.array([0, 1]), at=due + np.array([-HOUR, HOUR]), until=np.full(2, NEVER), kind=np.zeros(2, int))
    found = outcomes(replace(history, received=due - 20 * DAY, due=due, finished=np.full(2, NEVER), stops=stops))
    assert found.missed.tolist() == [False, True]
    assert found.known_at[0] == NEVER


def test_of_the_past_only_what_had_happened_or_landed_is_known() -> None:
    history = made_up()
    at = int(np.median(history.received))
    past = known(history, at)
    assert len(past) == (history.received <= at).sum()
    assert not ((past.finished > at) & (past.finished < NEVER)).any()
    assert past.steps.at.max() <= at
    assert past.stops.at.max() <= at
    told = set(history.told.owner[history.told.at <= at].tolist())
    assert (past.due < NEVER).sum() == len(told)


def test_shuffling_whatever_came_after_an_instant_changes_nothing_learned_by_then() -> None:
    history = made_up()
    split = split_of(outcomes(history), history.as_of)
    other = scrambled(history, split)
    learned = [take(one, outcomes(one), instants(one, outcomes(one), 0, split), split) for one in (history, other)]
    for name in ("x", "share", "dossier", "missed"):
        assert np.array_equal(getattr(learned[0], name), getattr(learned[1], name)), name
    assert len(learned[0].missed) > 500
    models = [fit(one.x, one.missed, one.weight) for one in learned]
    assert np.array_equal(models[0].weight, models[1].weight)
    usual = [usual_at(one, outcomes(one), split) for one in (history, other)]
    for name in ("limit", "lately", "agency", "procedure", "in_hand", "reached", "lasts"):
        assert np.array_equal(getattr(usual[0], name), getattr(usual[1], name), equal_nan=True), name
    seen = [look(known(one, split), usual[0]) for one in (history, other)]
    assert np.array_equal(seen[0].x, seen[1].x)
    # and the future did change: whoever looked at it would see something else
    assert not np.array_equal(history.finished, other.finished)
    assert not np.array_equal(look(history, usual[0]).x, look(other, usual[0]).x)


def test_an_office_that_is_late_makes_the_model_better_than_both_baselines_and_is_given_as_the_reason() -> None:
    history, learned = usual_case()
    judgement = learned.judgement
    assert judgement.is_better
    assert judgement.ranked_by == "model"
    assert {gain.baseline for gain in judgement.gains} == {"base_rate", "age_over_limit"}
    assert judgement.ranking > 0.6
    seen = look(known(history, history.as_of), learned.usual)
    slow = known(history, history.as_of).agency[seen.row] == 0
    why = reasons(learned.model, seen.x)
    assert all(any(one.key == "agency" for one in why[place]) for place in np.flatnonzero(slow))
    assert not any(one.key == "agency" for place in np.flatnonzero(~slow) for one in why[place])


def test_where_nothing_but_time_tells_the_model_is_no_better_and_the_better_baseline_ranks() -> None:
    history = made_up(signal=0.0)
    learned = learn(replace(history, steps=history.steps.take(history.steps.at < 0)))  # when steps are reached tells as well
    assert learned is not None
    assert not learned.judgement.is_better
    losses = {gain.baseline: gain.loss for gain in learned.judgement.gains}
    assert learned.judgement.ranked_by == min(losses, key=losses.__getitem__)


def test_chances_of_a_fit_lie_close_to_what_comes_of_other_cases() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(0, 1, (16_000, 4)) * np.array([1.0, 3.0, 0.5, 1.0]) + 2
    missed = rng.random(len(x)) < sigmoid((x - 2) @ np.array([0.8, -0.3, 1.0, 0.0]) - 1.5)
    learned = fit(x[:8000], missed[:8000], np.ones(8000), ridge=1.0)
    for one in calibration(learned.probability(x[8000:]), missed[8000:], np.arange(8000)):
        assert one.low - 0.015 <= one.predicted <= one.high + 0.015, one
    assert np.abs(learned.weight / learned.scale - [0.8, -0.3, 1.0, 0.0]).max() < 0.1


def test_a_feature_that_hardly_moves_gets_hardly_a_weight() -> None:
    rng = np.random.default_rng(9)
    x = np.column_stack([rng.normal(0, 1, 300), rng.normal(0, 1e-3, 300)])
    learned = fit(x, rng.random(300) < sigmoid(2000 * x[:, 1]), np.ones(300))
    assert abs(learned.parts(x)[:, 1]).max() < 0.01


def test_labels_known_only_after_the_split_teach_nothing() -> None:
    history = made_up()
    outcome = outcomes(history)
    split = split_of(outcome, history.as_of)
    looks = take(history, outcome, instants(history, outcome, 0, split), split)
    assert (outcome.known_at[looks.dossier] <= split).all()
    later = take(history, outcome, instants(history, outcome, split, history.as_of), history.as_of)
    assert (history.finished[later.dossier] > split).all()  # each was open at a look after the split


def test_too_few_dossiers_are_not_judged() -> None:
    assert learn(made_up(120, days=60)) is None


def test_looking_at_a_dossier_more_often_makes_no_interval_narrower() -> None:
    values, dossier = np.random.default_rng(2).normal(1, 1, 200), np.arange(200)
    once, often = interval(values, dossier), interval(np.tile(values, 5), np.tile(dossier, 5))
    assert often == pytest.approx(once)
    assert once[0] < values.mean() < once[1]


def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "DRAWS", 300)
    rng, held = np.random.default_rng(5), 0
    for _ in range(200):
        effect = np.repeat(rng.normal(0, 1, 60), 4)  # four looks at each of 60 dossiers
        low, high = interval(effect + rng.normal(0, 0.3, 240), np.repeat(np.arange(60), 4))
        held += low <= 0 <= high
    assert 180 <= held <= 199


def test_ranking_counts_pairs_in_the_right_order_and_ties_half() -> None:
    chance, missed = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])
    assert ranking(chance, missed) == pytest.approx(3.5 / 4)
    assert ranking(chance, np.zeros(4, bool)) == 0.5


def test_calibration_groups_are_equally_large_and_hold_every_look() -> None:
    rng = np.random.default_rng(1)
    chance = rng.random(803)
    found = calibration(chance, rng.random(803) < chance, np.arange(803))
    assert sum(one.looks for one in found) == 803
    assert max(one.looks for one in found) - min(one.looks for one in found) <= 1
    assert [one.predicted for one in found] == sorted(one.predicted for one in found)


def test_better_means_better_than_every_baseline() -> None:
    judgement = usual_case()[1].judgement
    worse = Gain("age_over_limit", 0.2, 0.01, -0.001, 0.02)
    doubtful = replace(judgement, gains=(judgement.gains[0], worse))
    assert (doubtful.is_better, doubtful.ranked_by) == (False, "age_over_limit")


def test_a_model_kept_as_json_scores_alike_and_takes_unknown_codes_for_like_all() -> None:
    history, learned = usual_case()
    kept = from_json(to_json(learned, history, 9000))
    assert kept is not None
    assert (kept.judgement, kept.of_all) == (learned.judgement, 9000)
    now = known(history, history.as_of)
    now = replace(now, due=now.received + 14 * DAY)
    before, after = look(now, learned.usual), look(now, kept.usual(now))
    assert np.array_equal(learned.model.probability(before.x), kept.model.probability(after.x))
    strange = replace(now, agencies=tuple(f"new {code}" for code in now.agencies))
    assert (look(strange, kept.usual(strange)).x[:, NAMES.index("agency")] == 0).all()


@pytest.mark.parametrize("body", ["", "{}", '{"form": 0}', '{"form": 1, "names": ["other"]}'])
def test_a_model_of_another_form_is_not_used(body: str) -> None:
    assert from_json(body) is None


def test_every_feature_is_said_in_some_reason() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
