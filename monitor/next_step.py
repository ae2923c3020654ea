"""What to do after a verdict, and the command for it, as the user can run it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from monitor.backtest import Backtest
from monitor.verdict import Action

STEPS: dict[Action, str] = {
    "keep": "Repeat this backtest when more outcomes are known",
    "watch": "Find out why applicants differ, and repeat this backtest",
    "recalibrate": "Move the level of the probabilities to the recent outcomes, as a new version",
    "retrain": "Train a new version on recorded applicants and outcomes",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What the backtest was made from, as the command line takes it.

    `decisions`: a URL without a password, or the name of what has it. `model`: path of the file of the model in
    service, "FILE" if it isn't known. `options`: further ones of the backtest. `start`, `end`: the period, if chosen.
    """

    decisions: str = "DECISIONS_URL"
    model: str = "FILE"
    options: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None


def choose_next_step(backtest: Backtest, given: Given) -> tuple[str, str]:
    """What to do after the verdict, and its command.

    A new version is made of the decisions that the verdict rests on, up to those whose outcomes count; a backtest is
    repeated up to the latest.
    """
    action = backtest.verdict.action
    source = ["--decisions", given.decisions]
    start = backtest.verdict.since or given.start
    since = ["--from", start] if start else []
    if action in ("keep", "watch"):
        again = ["monitor", "backtest", *source, *since, *given.options, "--gate"]
        return STEPS[action], shlex.join(["python", "-m", *again])
    end = backtest.windows[-1].end if backtest.maturity.days and backtest.windows else given.end
    what = ["recalibrate", "--model", given.model] if action == "recalibrate" else ["CARD.toml"]
    until = ["--to", end] if end else []
    return STEPS[action], shlex.join(["python", "-m", "train", *what, *source, *since, *until])
