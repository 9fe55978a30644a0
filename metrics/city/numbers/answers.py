"""Every KPI that flows and stocks do not give, with the function that answers it over a period: of the whole and along time alike."""

from __future__ import annotations

from metrics.city.numbers.asked import Answers
from metrics.city.numbers.kpis_environment import ENVIRONMENT_ANSWERS
from metrics.city.numbers.kpis_feedback import FEEDBACK_ANSWERS
from metrics.city.numbers.kpis_one_stop import ONE_STOP_ANSWERS
from metrics.city.numbers.kpis_operations import OPERATIONS_ANSWERS
from metrics.city.numbers.kpis_working_time import WORKING_TIME_ANSWERS

ANSWERS: Answers = {**ONE_STOP_ANSWERS, **FEEDBACK_ANSWERS, **ENVIRONMENT_ANSWERS, **OPERATIONS_ANSWERS, **WORKING_TIME_ANSWERS}
