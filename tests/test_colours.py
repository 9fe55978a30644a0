"""The theme's colours measured: contrast (WCAG 2.1), and distances as seen in grey and with colour blindness."""

from __future__ import annotations

import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from components import theme

ASSETS = Path(__file__).resolve().parent.parent / "assets"
TEXT_PAIRS = [(ink, ground) for ink in ("ink", "soft") for ground in ("ground", "panel", "raised")]
CLASSES = tuple(f"aqi_{name}" for name in theme.AQI_CLASSES if name != "hazardous")  # its plate carries its figure in white
GRAPHIC_PAIRS = [(mark, "panel") for mark in ("trace", "good", "near", "bad", "focus", *CLASSES)]
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB
SIGHTS = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}
FLOOR = 10.0  # CIEDE2000: far beyond a just noticeable difference (about 1 to 2)

Triple = tuple[float, float, float]


def linear(value: str) -> Triple:
    """Linear RGB 0..1 of "#rrggbb"."""
    parts = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def luminance(value: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(value), strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(value: str, sight: str) -> Triple:
    """CIE L*a*b* (D65) as seen with a kind of sight."""
    rgb = linear(value)
    seen = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True)))) for row in SIGHTS[sight]]
    matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    whites = (0.95047, 1.0, 1.08883)
    xyz = [sum(m * c for m, c in zip(row, seen, strict=True)) / white for row, white in zip(matrix, whites, strict=True)]
    x, y, z = (c ** (1 / 3) if c > 216 / 24389 else (24389 / 27 * c + 16) / 116 for c in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Triple, other: Triple) -> float:
    """Source: Sharma, Wu, Dalal 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_c**7 / (mean_c**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 if c else 0.0 for a, b, c in ((a1, b1, c1), (a2, b2, c2)))
    dh = 0.0 if not c1 * c2 else (h2 - h1 + 180) % 360 - 180
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(dh / 2))
    mean_l, mean_cp = (l1 + l2) / 2, (c1 + c2) / 2
    if not c1 * c2:
        mean_h = h1 + h2
    else:
        mean_h = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else ((h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2)
    cos = lambda degrees: math.cos(math.radians(degrees))  # noqa: E731
    t = 1 - 0.17 * cos(mean_h - 30) + 0.24 * cos(2 * mean_h) + 0.32 * cos(3 * mean_h + 6) - 0.20 * cos(4 * mean_h - 63)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / math.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_cp, 1 + 0.015 * mean_cp * t
    turn = 60 * math.exp(-(((mean_h - 275) / 25) ** 2))
    r_t = -2 * math.sqrt(mean_cp**7 / (mean_cp**7 + 25**7)) * math.sin(math.radians(turn))
    return math.sqrt((d_l / s_l) ** 2 + (d_c / s_c) ** 2 + (d_h / s_h) ** 2 + r_t * (d_c / s_c) * (d_h / s_h))


@pytest.mark.parametrize(("one", "other", "distance"), [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
])
def test_the_measure_itself_agrees_with_published_pairs(one: Triple, other: Triple, distance: float) -> None:
    assert ciede2000(one, other) == pytest.approx(distance, abs=1e-4)


@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(mode: str, ink: str, ground: str) -> None:
    assert contrast(theme.color(ink, mode), theme.color(ground, mode)) >= 4.5


@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize(("mark", "ground"), GRAPHIC_PAIRS)
def test_graphics_stand_out_from_their_ground(mode: str, mark: str, ground: str) -> None:
    assert contrast(theme.color(mark, mode), theme.color(ground, mode)) >= 3.0


@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize(("letter", "verdict"), [("on_near", "near"), ("on_verdict", "bad")])
def test_the_letter_on_a_verdict_is_readable(mode: str, letter: str, verdict: str) -> None:
    assert contrast(theme.color(letter, mode), theme.color(verdict, mode)) >= 4.5


@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize("name", theme.AQI_CLASSES)
def test_the_figure_on_an_aqi_plate_is_readable(mode: str, name: str) -> None:
    plate = theme.color(f"aqi_{name}", mode)
    assert contrast(theme.color(f"on_aqi_{name}", mode), plate) >= 4.5


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize(("one", "other"), list(combinations(theme.VERDICTS, 2)))
def test_verdicts_differ_for_every_eye(mode: str, sight: str, one: str, other: str) -> None:
    seen = [lab(theme.color(name, mode), sight) for name in (one, other)]
    assert ciede2000(*seen) >= FLOOR


@pytest.mark.parametrize("sight", [sight for sight in SIGHTS if sight != "grey"])
@pytest.mark.parametrize("mode", theme.THEMES)
def test_neighbouring_aqi_classes_differ_for_every_eye(mode: str, sight: str) -> None:
    seen = [lab(theme.color(f"aqi_{name}", mode), sight) for name in theme.AQI_CLASSES]
    assert min(ciede2000(a, b) for a, b in pairwise(seen)) >= FLOOR


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize("scale", [theme.HEAT, theme.TIDE], ids=["heat", "tide"])
def test_steps_of_the_choropleth_go_one_way_for_every_eye(scale: dict[str, tuple[str, ...]], mode: str, sight: str) -> None:
    light = [lab(value, sight)[0] for value in scale[mode]]
    steps = [b - a for a, b in pairwise(light)]
    assert all(step > 1.5 for step in steps) or all(step < -1.5 for step in steps)


@pytest.mark.parametrize("mode", theme.THEMES)
def test_only_what_is_abnormal_is_saturated(mode: str) -> None:
    names = ("ground", "panel", "raised", "line", "ink", "soft", "trace", "land", "good", "aqi_good")
    calm = [theme.color(name, mode) for name in names]
    loud = [theme.color(name, mode) for name in ("near", "bad")]
    chroma = lambda value: math.hypot(*lab(value, "full")[1:])  # noqa: E731
    assert max(map(chroma, calm)) * 2 < min(map(chroma, loud))


def test_stylesheets_take_every_colour_from_the_theme() -> None:
    for sheet in ("wall.css", "tiles.css"):
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", (ASSETS / sheet).read_text("utf-8")) == [], sheet
