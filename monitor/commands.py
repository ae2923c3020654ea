"""What `python -m monitor backtest` does: read the record, compare, write the report, and tell the verdict."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

from decisions.chain import now
from decisions.export import replace_file
from decisions.reading import write_time
from decisions.replay import KeptModels
from decisions.store import Store, hide_password, resolve_url
from decisions.terminal import CommandError, check_period, open_record, write_count
from model.contract import ContractError
from model.loading import load_model
from model.session import Model
from monitor.backtest import Backtest, make_backtest
from monitor.challenger_scores import score_recorded
from monitor.history import DAY_MICROSECONDS, History, measure_drift, read_history
from monitor.next_step import Given, choose_next_step
from monitor.pages.report import make_report
from monitor.terms import read_terms

MIDNIGHT = "T00:00:00.000000Z"

DRIFT_DAYS, DRIFT_DECISIONS = 7, 2_000
"""Drift is that of the latest week, or of the latest 2,000 decisions if these reach further back."""


def run_backtest(options: Namespace) -> int:
    """Make the backtest and its files, and print the verdict; returns the exit code.

    Raises CommandError, ContractError, ReplayError, StoreError and OSError.
    """
    check_period(options.start, options.end)
    _check_folder(options.out)
    url = resolve_url(os.environ, options.decisions, "--decisions")
    with closing(open_record(url, "--decisions")) as store:
        history = read_history(store, options.start, options.end)
        if not len(history):
            raise CommandError(
                f"no decision is on record in {hide_password(url)}{_name_period(options)}; expected at least one: give "
                "another --from and --to, or the database of the service in --decisions"
            )
        model = _load_model(store, history, options.model)
        challenger = None if options.challenger is None else load_file(options.challenger)
        if challenger is not None:
            history = score_recorded(store, history, challenger, options.start, options.end)
        terms = read_terms(store, history, model.contract, options.start, options.end)
        drift_start = _choose_drift_start(history, model.sha256)
        drift = measure_drift(store, model.contract, model.sha256, drift_start, options.end)
    backtest = make_backtest(
        history,
        model.contract,
        model.sha256,
        drift,
        now(),
        maturity=options.maturity,
        challenger_trained_at=None if challenger is None else challenger.contract.trained_at,
        terms=terms,
    )
    given = _read_given(options, model)
    _write_files(options.out, backtest, make_report(backtest, model.contract, hide_password(url), given))
    print("\n".join(_describe(backtest, options.out, given)))
    return 1 if options.gate and backtest.verdict.action != "keep" else 0


def _check_folder(folder: Path) -> None:
    """Raise CommandError unless files can be written there; before the record is read, which may take a minute."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problem = "" if os.access(folder, os.W_OK | os.X_OK) else "it isn't writable"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise CommandError(
            f"{folder} can't take the report ({problem}), expected a folder to write to: give one by --out"
        )


def _load_model(store: Store, history: History, path: Path | None) -> Model:
    """The model in service: this file, or the one of the newest decision, from the record."""
    if path is None:
        return KeptModels(store).load(history.models[history.model[-1]].sha256)
    model = load_file(path)
    made = [history.models[index] for index in np.unique(history.model).tolist()]
    if model.sha256 not in {one.sha256 for one in made}:
        names = ", ".join(f"{one.name} {one.version} (sha256 {one.sha256[:12]}…)" for one in made)
        raise CommandError(
            f"{path} (sha256 {model.sha256[:12]}…) made no decision of the period, expected a model that did: {names}; "
            "compare a model that isn't in service by --challenger"
        )
    return model


def load_file(path: Path) -> Model:
    """A model file given by its path; raises ContractError, which names it."""
    try:
        return load_model(path)
    except ContractError as error:
        raise ContractError(f"{path} can't be used: {error}") from error


def _choose_drift_start(history: History, sha256: str) -> int:
    """Where the decisions begin whose applicants are compared with those of training."""
    index = next(index for index, one in enumerate(history.models) if one.sha256 == sha256)
    times = history.time[history.model == index]
    return int(min(history.time[-1] - DRIFT_DAYS * DAY_MICROSECONDS, times[-DRIFT_DECISIONS:][0]))


def _write_files(folder: Path, backtest: Backtest, report: str) -> None:
    content = {
        "monitor.html": report.encode(),
        "monitor.json": msgspec.json.format(msgspec.json.encode(backtest)) + b"\n",
    }
    with ExitStack() as files:
        for name, written in content.items():
            files.enter_context(replace_file(folder / name)).write(written)


def _read_given(options: Namespace, model: Model) -> Given:
    """The options as they can be repeated; the file of the model in service is found where the service looks for it."""
    file = options.model or Path(os.environ.get("MODEL_PATH", "artifacts/model.onnx"))
    is_it = options.model or (file.is_file() and sha256(file.read_bytes()).hexdigest() == model.sha256)
    end = None if options.end is None else write_time(options.end)
    if end is not None and end.endswith(MIDNIGHT):
        end = write_time(options.end - 1)[:10]
    return Given(
        decisions=_name_decisions(options.decisions or "DECISIONS_URL"),
        model=str(file) if is_it else "FILE",
        options=tuple(
            text
            for name, value in (
                ("--model", options.model),
                ("--challenger", options.challenger),
                ("--maturity", options.maturity),
            )
            if value is not None
            for text in (name, str(value))
        ),
        start=None if options.start is None else write_time(options.start).removesuffix(MIDNIGHT),
        end=end,
    )


def _name_decisions(given: str) -> str:
    """The URL of a database, or the variable that has it, as it may be shown."""
    parts = urlsplit(given)
    return given if parts.scheme == "sqlite" or (parts.password is None and not parts.query) else "URL"


def _describe(backtest: Backtest, folder: Path, given: Given) -> Iterator[str]:
    verdict, model = backtest.verdict, backtest.model
    yield f"{verdict.headline}."
    yield from (f"  {sentence}" for sentence in [*verdict.reasons, *verdict.evidence])
    yield f"  Next: {': '.join(choose_next_step(backtest, given))}"
    counts = f"{write_count(backtest.decisions, 'decision')}, {write_count(backtest.outcomes, 'outcome')}"
    yield f"{model.name} {model.version}: {counts} from {(backtest.start or '')[:10]} to {(backtest.end or '')[:10]}"
    yield f"see {folder / 'monitor.html'} and {folder / 'monitor.json'}"


def _name_period(options: Namespace) -> str:
    start, end = options.start, options.end
    return ("" if start is None else f" from {write_time(start)}") + ("" if end is None else f" to {write_time(end)}")
