"""Pairs of reports near in place and time: none missed, none too many, whatever lies around; what is learned, and never from later rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.duplicates import chicago, halves
from config import ConfigError, parse_config
from metrics.alike import CROWD, Columns, Placed, Reach, alike, columns_of, pairs, project, shared, strength, words_of
from metrics.alike_learning import Found, judge, learn, sample
from store.days import DAY, HOUR


def some(count: int, spread: float = 0.01, seed: int = 1) -> Columns:
    """Reports of a month, thrown over a square of `spread` degrees."""
    random = np.random.default_rng(seed)
    x, y = project(105 + random.random(count) * spread, 21 + random.random(count) * spread)
    received = np.sort(random.integers(0, 30 * DAY, count))
    category = random.integers(0, 4, count)
    radius = np.where(random.random(count) < 0.5, 40.0, 100.0)
    return Columns(x, y, received, received + random.integers(0, 20 * DAY, count), category, np.minimum(category, 2), radius)


def by_looking_at_all(columns: Columns, days: float) -> set[tuple[int, int]]:
    """The same pairs, each two reports beside each other."""
    found = set()
    for later in range(len(columns)):
        for earlier in range(later):
            near = np.hypot(columns.x[later] - columns.x[earlier], columns.y[later] - columns.y[earlier]) <= columns.radius_m[later]
            soon = columns.received_at[later] - columns.received_at[earlier] <= days * DAY
            was_open = columns.closed_at[earlier] >= columns.received_at[later]
            if near and soon and was_open and columns.family[later] == columns.family[earlier]:
                found.add((later, earlier))
    return found


@pytest.mark.parametrize(("count", "spread"), [(0, 0.01), (1, 0.01), (350, 0.01), (250, 3.0)])
def test_the_grid_finds_what_looking_at_all_pairs_finds(count: int, spread: float) -> None:
    columns = some(count, spread)
    found = pairs(columns, 7)
    told = list(zip(found.later.tolist(), found.earlier.tolist(), strict=True))
    assert len(told) == len(set(told))
    assert set(told) == by_looking_at_all(columns, 7)


def test_a_stray_point_at_the_other_end_of_the_world_changes_nothing() -> None:
    near = some(200)
    far = Columns(*(np.append(getattr(near, name), value) for name, value in (
        ("x", 1.9e7), ("y", -9e6), ("received_at", 31 * DAY), ("closed_at", 32 * DAY), ("category", 0), ("family", 0), ("radius_m", 1.0),
    )))
    assert len(pairs(far, 7)) == len(pairs(near, 7)) > 0


def test_a_crowd_at_one_place_costs_what_its_size_is_and_not_the_square() -> None:
    count = 3_000
    same = np.zeros(count)
    columns = Columns(same, same, np.arange(count), np.full(count, DAY), np.zeros(count, np.int64), np.zeros(count, np.int64), same + 100)
    found = pairs(columns, 1)
    assert count < len(found) <= 18 * CROWD * count
    assert set(found.later.tolist()) == set(range(1, count))  # each still has an earlier one


def test_texts_are_read_accent_blind_and_without_the_words_all_reports_hold() -> None:
    one, other = words_of("Ổ gà LỚN trước chợ Hạ Long, xin được xử lý"), words_of("o ga lon gan cho ha long")
    assert {"ga", "lon", "ha", "long"} <= one & other and "xu" not in one
    assert alike(one, other) == len(one & other) / len(one | other)
    assert alike(one, words_of(None)) is None
    assert shared("Ổ gà lớn, gà lớn quá", one & other) == ("gà", "lớn")


def test_nearer_and_sooner_pairs_are_stronger_and_a_missing_text_is_no_zero() -> None:
    force = strength([0, 50, 0, 0], [100] * 4, [1, 1, 100, 1], 7, [True] * 4, [None, None, None, 0.0])
    assert force[0] > force[1] and force[0] > force[2] > 0
    assert force[0] > force[3]


def test_what_people_set_too_wide_is_refused(tmp_path: Path) -> None:
    wrong = {"city": {"name": "A"}, "feedback": {"duplicate_radius_m": 0, "duplicate_days": 400}, "duplicate_radii": {"road": "far"}}
    with pytest.raises(ConfigError) as told:
        parse_config(wrong, tmp_path, {})
    assert all(word in str(told.value) for word in ("duplicate_radius_m", "duplicate_days", "[duplicate_radii] road"))
    right = parse_config({"city": {"name": "A"}, "duplicate_radii": {"road": 30}}, tmp_path, {})
    assert right.duplicate_radii == {"road": 30} and right.feedback.duplicate_days == 7


# ---- learned ------------------------------------------------------------------------------------------------------------
def rows_of(count: int, apart_m: float) -> tuple[list[Placed], list[bool]]:
    """Couples in turn: one a metre apart whose second is marked, one `apart_m` apart whose second is not."""
    found, marks = [], []
    for number in range(count):
        metres = 1.0 if number % 2 else apart_m
        for part, is_marked in ((0, False), (1, bool(number % 2))):
            at = number * 30 * DAY + part * HOUR
            found.append(Placed("f", f"{number}-{part}", at, None, 107.0, 21.0 + number * 0.1 + part * metres / 111_320, "c", ""))
            marks.append(is_marked)
    return found, marks


def test_the_smallest_reach_that_tells_the_marked_from_the_others_is_learned() -> None:
    rows, marks = rows_of(40, 60.0)
    known, all_of_them = sample(rows, marks), np.ones(80, np.bool_)
    learned = learn(known, all_of_them)
    assert (learned.radius_m, learned.days) == (2.5, 1)
    assert judge(known, learned, all_of_them) == Found(20, 20, 20)
    assert judge(known, Reach(100, 7), all_of_them).precision == 0.5


def test_what_is_learned_does_not_look_at_marks_of_later_reports() -> None:
    rows, marks = rows_of(60, 60.0)
    early = np.arange(len(rows)) < 80
    turned = [mark if at < 80 else not mark for at, mark in enumerate(marks)]
    assert learn(sample(rows, marks), early) == learn(sample(rows, turned), early)


def test_of_chicago_nine_in_ten_marked_duplicates_of_later_years_are_found_and_more_than_eight_in_ten_found_ones_are_marked(
    real_data: Path,
) -> None:
    cut = halves(*chicago(real_data))
    learned = learn(cut.known, cut.early)
    assert (learned.radius_m, learned.days, dict(learned.by_category)) == (1.0, 2, {})  # examples/chicago/city.toml says so
    found = judge(cut.known, learned, cut.late)
    assert (found.flagged, found.marked, found.both) == (1936, 1841, 1685)  # docs/duplicates.md
    assert found.precision > 0.85 and found.recall > 0.9


def test_columns_keep_categories_without_a_group_apart() -> None:
    base = Placed("f", "1", 0, None, 107.0, 21.0, "road", "ways")
    made = columns_of([base, base._replace(category="hole"), base._replace(category="x", group=""), base._replace(category="y", group="")],
                      Reach(10, 1, {"x": 50}))
    assert made.family[0] == made.family[1] and len(set(made.family.tolist())) == 3
    assert made.radius_m.tolist() == [10, 10, 50, 10]
