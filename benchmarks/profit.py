"""`make bench-profit`: what a policy in money earns of the best possible, and what one threshold for all earns.

By several seeds a made-up portfolio of loans is trained on with the whole command, with exposure and margin of each
loan in the card. The written file then decides about fresh loans whose true chances of default are known. Best possible
are the best decisions of somebody who knows the chance of each applicant, though not the outcome.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.loans import ROWS, draw_loans, write_loans_card
from benchmarks.portfolios import Portfolio, Vector
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import write_page, write_table
from benchmarks.training import train
from model.session import Model
from train.dataset import Matrix
from train.judged import ACCEPT, Judged, judge
from train.report.profit import use_one_threshold

FRESH_ROWS = 200_000

FRESH_SEED = 1_000_000
"""Added to the seed of a portfolio."""

BEST, OWN, CONSTANT, ALL = "best possible", "this policy", "one threshold for all", "accept all"


@dataclass(frozen=True, slots=True)
class Earned:
    """Expected profit per applicant of each policy, by the true chances, and the share that it accepts."""

    profit: dict[str, float]
    acceptance: dict[str, float]

    def share(self, policy: str) -> float:
        """Profit of a policy as a share of the best possible."""
        return self.profit[policy] / self.profit[BEST]


def run(options: Sequence[str], rows: int, seed: int) -> Earned:
    """Train on the portfolio of a seed, and decide about fresh loans."""
    with tempfile.TemporaryDirectory() as folder:
        table = draw_loans(seed, rows).write(Path(folder, "loans.csv"))
        card = write_loans_card(Path(folder, "loans.toml"), table)
        trained = train(card, None, Path(folder, "out"), *options)
        fresh = draw_loans(FRESH_SEED + seed, FRESH_ROWS)
        return measure(trained.load(), trained.read(fresh.write(Path(folder, "fresh.csv"))).X, fresh)


def measure(model: Model, applicants: Matrix, fresh: Portfolio) -> Earned:
    """The profit of the decisions in a file; applicants: float64, shape (n, n_fields), of the loans `fresh`."""
    policy, scores = model.contract.policy, model.score(applicants)
    best = judge(policy, fresh.chance, applicants)
    policies: dict[str, Judged] = {
        BEST: best,
        OWN: best.decide(scores.decision),
        CONSTANT: best.decide(use_one_threshold(policy).decide(scores.probability, applicants)),
        ALL: best.decide(ACCEPT),
    }
    return Earned(
        {name: mean_profit(one, fresh.chance) for name, one in policies.items()},
        {name: float((one.decision == ACCEPT).mean()) for name, one in policies.items()},
    )


def mean_profit(judged: Judged, chance: Vector) -> float:
    """Expected profit per applicant by the true chances."""
    return float(judged.profit(chance).mean())


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    found = []
    with get_context("spawn").Pool(options.processes) as pool:
        for one in pool.imap(partial(run, options.options, options.rows), range(1, options.seeds + 1)):
            print(one, flush=True)
            found.append(one)
    model = " ".join(options.options) or "--model auto"
    rows = [
        [
            name,
            f"{median(one.acceptance[name] for one in found):.1%}",
            f"{median(one.profit[name] for one in found):,.1f}",
            f"{median(one.share(name) for one in found):.1%}",
            f"{min(one.share(name) for one in found):.1%}",
        ]
        for name in (BEST, OWN, CONSTANT, ALL)
    ]
    head = ["policy", "accepted", "profit per applicant", "of the best possible", "worst seed"]
    text = (
        f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, median of {options.seeds} seeds, {options.rows:,} loans "
        f"each, `{model}`:\n\n{write_table(head, rows)}"
    )
    print(text)
    if options.write:
        write_page(options.write, "profit", text)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profit", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=ROWS, help="loans to train on")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table between the markers of this page")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of `python -m train`, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
