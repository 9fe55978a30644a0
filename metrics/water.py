"""Water levels against the alarm levels of their station, and rain of a day in classes. Pure; the classes are data rows."""

from __future__ import annotations

from dataclasses import dataclass

from config.limits import WaterAlarm

STATES = ("below", "alarm_1", "alarm_2", "alarm_3", "above_3")  # words under water_state.<state>; the order is that of danger
ALARM_SOURCE = "Quyết định 05/2020/QĐ-TTg"


def state_of(level: float, alarm: WaterAlarm) -> str:
    """Which of STATES a level is in: at alarm I from its level on, above III beyond the third."""
    if level > alarm.alarm_3:
        return "above_3"
    reached = sum(level >= bound for bound in (alarm.alarm_1, alarm.alarm_2, alarm.alarm_3))
    return STATES[reached]


@dataclass(frozen=True)
class RainClass:
    """Rain of 24 hours from `from_mm` on (to a tenth of a millimetre); its word is rain_class.<key>."""

    key: str
    from_mm: float
    source: str = "rain classes of the weather service, from memory"
    verified: bool = False


RAIN_CLASSES: tuple[RainClass, ...] = (  # heaviest first: above 100, 51-100, 16-50 mm
    RainClass("very_heavy", 100.1), RainClass("heavy", 50.1), RainClass("moderate", 16.0), RainClass("light", 0.1), RainClass("none", 0.0),
)


def rain_class(mm_24h: float) -> RainClass:
    """The class of a 24-hour sum."""
    return next(row for row in RAIN_CLASSES if round(mm_24h, 1) >= row.from_mm)
