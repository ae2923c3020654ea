"""The commands of `python -m decisions`, as a table: name, help, options, and what is done with an open store."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from decisions.arguments import (
    add_erase_options,
    add_export_options,
    add_import_options,
    add_outcomes_options,
    add_prune_options,
    add_replay_options,
    add_verify_options,
)
from decisions.chain import Chain
from decisions.export import describe_applicant, export_decisions, replace_file
from decisions.importing import import_scores
from decisions.outcome_files import Line, read_outcomes
from decisions.outcomes import InvalidOutcomes, Outcome, Prepared, prepare_outcomes
from decisions.portfolio_scores import InvalidScores, open_scores
from decisions.reading import count_decisions, find_records_of, write_time
from decisions.record import SCORED, Entry
from decisions.replay import replay_all
from decisions.retention import OldRecords, erase, find_old, prune
from decisions.schema import SCHEMA_VERSION
from decisions.store import InvalidRecords, Store
from decisions.terminal import CommandError, check_period, confirm, show_progress, write_count
from decisions.verify import Seal, make_seal, verify

RECORDED_AT_ONCE = 10_000
"""Outcomes of one transaction."""


class Command(Struct, frozen=True):
    """One command. `run` returns the exit code: 0, or 1 for a fault that it has found and printed.

    `creates`: whether it creates or updates the schema first; the others need one.
    """

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], object]
    run: Callable[[Namespace, Store], int]
    creates: bool = False


def _migrate(options: Namespace, store: Store) -> int:
    print(f"the database has schema version {SCHEMA_VERSION}")
    return 0


def _verify(options: Namespace, store: Store) -> int:
    seal = None if options.against is None else _read_seal(options.against)
    new_seal = make_seal(store)
    ((total,),) = list(store.query("SELECT count(*) FROM records"))
    with show_progress("verifying", total) as progress:
        report = verify(store, seal, progress)
    for fault in report.faults:
        print(fault)
    print(
        f"{write_count(report.records, 'record')} in {write_count(report.chains, 'chain')}, "
        f"{write_count(report.models, 'model file')}: {write_count(len(report.faults), 'fault')} "
        f"({write_count(report.erased, 'erased record')}, {write_count(report.deletions, 'deletion')} by age)"
    )
    if options.write_seal is not None and not report.faults:
        _write_json(options.write_seal, new_seal)
    return 1 if report.faults else 0


def _replay(options: Namespace, store: Store) -> int:
    check_period(options.start, options.end)
    total = sum(count_decisions(store, options.start, options.end, kind) for kind in SCORED)
    with show_progress("replaying", total) as progress:
        report = replay_all(store, options.start, options.end, progress)
        shadows = replay_all(store, options.start, options.end, progress, "shadow")
    report.shadows = shadows if shadows.decisions else None
    if options.report is not None:
        _write_json(options.report, report)
    found = {"decision": report} | ({"shadow": shadows} if shadows.decisions else {})
    for kind, some in found.items():
        for difference in some.differences:
            print(f"{difference.id}: {difference.fault}")
        if some.different > len(some.differences):
            print(f"and {some.different - len(some.differences):,} more")
        print(
            f"{write_count(some.decisions, kind)} by {write_count(len(some.models), 'model file')}: "
            f"{some.identical:,} identical to the bit, {some.different:,} different, {some.erased:,} erased"
        )
    return 1 if report.different or shadows.different else 0


def _export(options: Namespace, store: Store) -> int:
    if options.applicant is not None:
        lines = b"".join(line + b"\n" for line in describe_applicant(store, options.applicant))
        if not lines:
            raise CommandError(f"nothing is on record of applicant {options.applicant!r}; check the id")
        if options.out is None:
            sys.stdout.write(lines.decode())
        else:
            with replace_file(options.out) as file:
                file.write(lines)
        return 0
    if options.out is None:
        raise CommandError("expected --out FILE.parquet or FILE.jsonl, or --applicant ID")
    check_period(options.start, options.end)
    with show_progress("exporting", count_decisions(store, options.start, options.end)) as progress:
        count = export_decisions(store, options.out, options.start, options.end, progress)
    print(f"{write_count(count, 'decision')} in {options.out}")
    return 0


def _record_outcomes(options: Namespace, store: Store) -> int:
    table = read_outcomes(options.file)
    if table.ignored:
        print(f"ignored columns: {', '.join(table.ignored)}", file=sys.stderr)
    good, faults = _split(table.lines)
    prepared = Prepared([], [])
    try:
        prepared = prepare_outcomes(store, list(good.values()), None)
    except InvalidOutcomes as error:
        numbers = list(good)
        for index, fault in error.faults:
            faults[numbers[index]] = fault
            del good[numbers[index]]
        if options.skip_bad:
            prepared = prepare_outcomes(store, list(good.values()), None)
    for number in sorted(faults):
        print(f"line {number}: {faults[number]}", file=sys.stderr)
    if faults and not options.skip_bad:
        raise CommandError(
            f"{options.file} has {write_count(len(faults), 'bad line')}, so that nothing is recorded; correct them, or "
            "record the others with --skip-bad"
        )
    _append_outcomes(store, prepared.entries)
    n_new = len(prepared.entries)
    print(f"{write_count(n_new, 'outcome')} recorded, {len(good) - n_new:,} known already, {len(faults):,} bad")
    return 0


def _append_outcomes(store: Store, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    chain = Chain(store)
    try:
        for start in range(0, len(entries), RECORDED_AT_ONCE):
            chain.append(entries[start : start + RECORDED_AT_ONCE])
    except InvalidRecords as error:
        raise CommandError(f"another process records the same outcomes; run the command again ({error})") from error


def _split(lines: Sequence[Line]) -> tuple[dict[int, Outcome], dict[int, str]]:
    """Outcomes and faults, by the number of their line."""
    good = {line.number: line.outcome for line in lines if line.outcome is not None}
    return good, {line.number: line.fault for line in lines if line.outcome is None}


def _import(options: Namespace, store: Store) -> int:
    try:
        scores = open_scores(options.out, options.model)
        with show_progress("importing", scores.n_rows) as progress:
            report = import_scores(scores, store, progress)
    except InvalidScores as error:
        raise CommandError(str(error)) from error
    print(f"{write_count(report.recorded, 'decision')} recorded, {report.known:,} known already")
    return 0


def _erase(options: Namespace, store: Store) -> int:
    records = find_records_of(store, options.applicant)
    if not records:
        raise CommandError(f"nothing is on record of applicant {options.applicant!r}; check the id")
    for record in records:
        print(f"{record.kind} {record.id} of {write_time(record.time)}")
    confirm(f"Erase the personal data of {write_count(len(records), 'record')} for good?", is_confirmed=options.yes)
    erase(store, records)
    print(f"erased the personal data of {write_count(len(records), 'record')}")
    _compact(store)
    return 0


def _prune(options: Namespace, store: Store) -> int:
    old = find_old(store, options.before)
    if not old:
        print(f"nothing is from before {write_time(options.before)}")
        return 0
    for line in _describe_old(old):
        print(line)
    confirm(f"Delete them, which are from before {write_time(options.before)}, for good?", is_confirmed=options.yes)
    prune(store, old)
    print(f"deleted {write_count(sum(count.records for some in old for count in some.counts), 'record')}")
    _compact(store)
    return 0


def _describe_old(old: Sequence[OldRecords]) -> Iterator[str]:
    counts = [count for some in old for count in some.counts]
    for kind in sorted({count.kind for count in counts}):
        alike = [count for count in counts if count.kind == kind]
        first, last = min(count.first for count in alike), max(count.last for count in alike)
        total = write_count(sum(count.records for count in alike), kind)
        yield f"{total} from {write_time(first)} to {write_time(last)}"


def _compact(store: Store) -> None:
    if left := store.compact():
        print(left)


def _read_seal(path: Path) -> Seal:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seal)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is no seal, expected a file of verify --write-seal: {error}") from error


def _write_json(path: Path, content: Struct) -> None:
    with replace_file(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")


COMMANDS = (
    Command("migrate", "create or update the tables, as a release step", lambda parser: None, _migrate, creates=True),
    Command("verify", "check that no record was changed, lost or added", add_verify_options, _verify),
    Command("replay", "answer decisions again by the model files that made them", add_replay_options, _replay),
    Command("export", "write decisions to a file, or all that is held of one applicant", add_export_options, _export),
    Command("outcomes", "record what became of decisions", add_outcomes_options, _record_outcomes),
    Command("import", "record the decisions of python -m score", add_import_options, _import),
    Command("erase", "take away the personal data of one applicant", add_erase_options, _erase),
    Command("prune", "delete old records", add_prune_options, _prune),
)
