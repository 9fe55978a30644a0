"""Colours of both themes as one table, and the CSS variables made from it. Everything drawn takes its colour from here.

Calm base, saturated colour only for what is abnormal (ISA-101). Meaning never hangs on colour alone: a verdict has a shape and
a letter, an AQI class its word. tests/test_colours.py measures contrast and distances as seen with colour blindness.
"""

from __future__ import annotations

from dataclasses import dataclass

THEMES = ("dark", "light")
VERDICTS = ("good", "near", "bad")
AQI_CLASSES = ("good", "moderate", "poor", "bad", "very_bad", "hazardous")


@dataclass(frozen=True)
class Token:
    """One colour: its name (CSS variable --name), its value in the dark and in the light theme, what it is for."""

    name: str
    dark: str
    light: str
    use: str

    def of(self, theme: str) -> str:
        """The value in a theme."""
        return self.dark if theme == "dark" else self.light


TOKENS = (
    Token("ground", "#1a1d21", "#e2e5e8", "behind everything"),
    Token("panel", "#24282d", "#f6f7f8", "a tile, a card"),
    Token("raised", "#2e333a", "#e9ecee", "a row under the pointer, a track behind a bar"),
    Token("line", "#3f464f", "#c3c9cf", "hairlines"),
    Token("ink", "#edf0f2", "#1b2025", "figures and words"),
    Token("soft", "#b3bbc4", "#4b555f", "labels, notes"),
    Token("trace", "#8b97a4", "#66727e", "sparklines, bars, quiet marks"),
    Token("good", "#8db3a9", "#44776e", "verdict: on target"),
    Token("near", "#ffd866", "#bd7a00", "verdict: near the target"),
    Token("bad", "#ef4d35", "#8f1407", "verdict: off target, overdue"),
    Token("on_verdict", "#14171a", "#ffffff", "a letter on a verdict colour"),
    Token("on_near", "#14171a", "#14171a", "a letter on the near colour"),
    Token("focus", "#7db4f0", "#1f63ad", "keyboard focus, links"),
    Token("land", "#3a4149", "#cfd5d9", "a commune with nothing to report"),
    Token("border", "#1a1d21", "#f6f7f8", "between communes"),
    Token("aqi_good", "#86a59d", "#44776e", "VN_AQI class"),
    Token("aqi_moderate", "#d9cd93", "#a18c00", "VN_AQI class"),
    Token("aqi_poor", "#f2a33c", "#b54a00", "VN_AQI class"),
    Token("aqi_bad", "#ef4d35", "#8a1206", "VN_AQI class"),
    Token("aqi_very_bad", "#b573d6", "#7b3596", "VN_AQI class"),
    Token("aqi_hazardous", "#a33a55", "#4a0a1e", "VN_AQI class"),
    Token("on_aqi_good", "#14171a", "#ffffff", "a figure on that class"),
    Token("on_aqi_moderate", "#14171a", "#14171a", "a figure on that class"),
    Token("on_aqi_poor", "#14171a", "#ffffff", "a figure on that class"),
    Token("on_aqi_bad", "#14171a", "#ffffff", "a figure on that class"),
    Token("on_aqi_very_bad", "#14171a", "#ffffff", "a figure on that class"),
    Token("on_aqi_hazardous", "#ffffff", "#ffffff", "a figure on that class"),
    Token("aqi_none", "#6c7681", "#8b959e", "no index"),
)
# steps of the choropleth, from few to many: one hue, so only the far end is saturated
HEAT = {
    "dark": ("#3a4149", "#57493f", "#7f503c", "#b2563b", "#ef4d35"),
    "light": ("#cfd5d9", "#d9bfae", "#d7937a", "#c75a45", "#8f1407"),
}
# the same for figures of which neither many nor few is bad: nothing of it is saturated red
TIDE = {
    "dark": ("#3a4149", "#475763", "#5a7287", "#7093b3", "#8fbbe6"),
    "light": ("#cfd5d9", "#adc0cf", "#7f9fba", "#4f7ba3", "#1f5288"),
}
FONT = '"Barlow Semi Condensed", "Roboto Condensed", "Noto Sans", "DejaVu Sans Condensed", sans-serif'


def color(name: str, theme: str) -> str:
    """A token's value; KeyError when there is no such token."""
    return {token.name: token for token in TOKENS}[name].of(theme)


def css() -> str:
    """CSS that sets every token as a variable: [data-theme=...] on any element chooses; without it the light theme holds."""
    blocks = [f":root {{ --font: {FONT}; {_variables('light')} color-scheme: light; }}"]
    blocks += [f'[data-theme="{theme}"] {{ {_variables(theme)} color-scheme: {theme}; }}' for theme in THEMES]
    return "\n".join(blocks)


def _variables(theme: str) -> str:
    plain = [f"--{token.name.replace('_', '-')}: {token.of(theme)};" for token in TOKENS]
    return " ".join(plain + [f"--heat-{step}: {value};" for step, value in enumerate(HEAT[theme])]
                    + [f"--tide-{step}: {value};" for step, value in enumerate(TIDE[theme])])
