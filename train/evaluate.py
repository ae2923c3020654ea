"""`python -m train evaluate`: one model on new rows with outcomes, with the whole report of training.

With --gate the exit code is 1 if a check fails, so that CI or a schedule stops.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from model.formatting import format_estimate
from train.applicants import open_model
from train.evaluated import open_evaluated
from train.files import write_together
from train.outcomes import add_outcome_options, check_outcome_options
from train.report.evaluation import render_figures
from train.report.findings import EvaluationRecord, Findings, collect_findings
from train.report.report_page import render_report
from train.report.verdict import assess, show_verdict
from train.summary import METRICS


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train evaluate",
        description="Measure a model on rows with outcomes that it wasn't trained on: discrimination, calibration, "
        "costs, fairness, segments, periods and shifts, with the checks of a validation.",
    )
    parser.add_argument("model", type=Path, help="such as artifacts/model.onnx")
    add_outcome_options(parser)
    parser.add_argument(
        "--card",
        type=Path,
        metavar="CARD",
        help="with a table or decisions: a dataset card, which names the target, directions of risk, protected fields "
        "and segments",
    )
    parser.add_argument(
        "--segment",
        action="append",
        default=[],
        metavar="COLUMN",
        help="measure each group of this column; can be repeated",
    )
    parser.add_argument("--time", metavar="COLUMN", help="when each applicant applied; measure each period")
    parser.add_argument("--time-format", metavar="FORMAT", help="how times are written, such as %%d/%%m/%%Y")
    parser.add_argument(
        "--out", type=Path, default=Path("build/evaluation"), metavar="DIR", help="default: build/evaluation"
    )
    parser.add_argument("--gate", action="store_true", help="exit code 1 if a check fails")
    options = parser.parse_args(arguments)
    if options.card is None or options.data is None:
        check_outcome_options(parser, options)
    elif options.decisions is not None or options.data.suffix == ".toml" or options.target is not None:
        parser.error("with --card give --data FILE.csv or --decisions URL; the card names the target")
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print, write evaluation.html and evaluation.json; the exit code. Raises TrainingError."""
    model = open_model(options.model)
    evaluated = open_evaluated(options, model)
    for sentence in evaluated.notes:
        console.print(sentence, markup=False)
    record = EvaluationRecord(evaluated.table.sha256, evaluated.has_card)
    findings = collect_findings(model, options.model.stat().st_size, evaluated.card, evaluated.sample, evaluated=record)
    show_figures(console, findings)
    verdict = assess(findings)
    show_verdict(console, verdict)
    page, figures = options.out / "evaluation.html", options.out / "evaluation.json"
    write_together(
        {page: render_report(findings), figures: render_figures(findings, verdict, evaluated.table, evaluated.n_rows)}
    )
    console.print(f"Wrote {page} and {figures.name} beside it")
    return int(options.gate and any(check.result == "fail" for check in verdict.checks))


def show_figures(console: Console, findings: Findings) -> None:
    """Print quality and calibration."""
    sample = findings.gate
    console.print(f"On {sample.count:,} rows that the model wasn't trained on, default rate {sample.default_rate:.1%}:")
    grid = Grid(show_header=False)
    grid.add_column("")
    grid.add_column("", justify="right")
    quality: Mapping[str, float] = sample.quality.as_dict()
    for name, title in METRICS.items():
        grid.add_row(title, f"{quality[name]:.4f}")
    grid.add_row("predicted / observed default rate", format_estimate(sample.calibration.ratio))
    console.print(grid)
