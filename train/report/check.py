"""One check of a validation, with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckResult = Literal["pass", "review", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what is checked, its result, and the figures it rests on as a sentence."""

    title: str
    result: CheckResult
    text: str
