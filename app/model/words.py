"""The closed sets of words. Importing this loads no validation library, so the command line may."""

from __future__ import annotations

from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
# Kept as the number of a severity where the queue is judged first: the severity would tell what the model said.
UNTOLD = -1
State = Literal["open", "leased", "deferred", "settled", "parked"]
STATES: tuple[State, ...] = ("open", "leased", "deferred", "settled", "parked")
# Where a case is on its way: nobody's review stands, some of several do, or an adjudicator decides.
Stage = Literal["review", "begun", "adjudication"]
