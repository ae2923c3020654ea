"""`python -m train import`: export a model that was fitted elsewhere as the same artifact, exact and with reasons.

The rule is the owner's own. Nothing is measured for the file, because there are no outcomes: it has no metrics.
Contributions are path-dependent, or relative to the mean applicant that the model's own steps remember or to the
applicants of --reference. What a file is and holds is found in train/importing.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import structs
from rich.console import Console

from model.contract import Field, Training
from model.loading import load_model
from model.policy import Policy
from train.arguments import read_dialect_options
from train.bins import bin_numbers, make_bins
from train.card import Card, CardDataset, CardPolicy, check_card, format_card, read_card
from train.contract import make_contract, make_fields
from train.dataset import Matrix, encode_fields
from train.errors import TrainingError
from train.export import draw_reference, export
from train.export.attribution import needs_reference
from train.export.golden import draw_applicants
from train.files import write_whole
from train.fitted.model import FittedModel
from train.importing.card import (
    check_inputs,
    check_missing,
    find_card_path,
    limit_fields,
    make_card,
    write_card,
)
from train.importing.options import parse
from train.importing.ranges import Range, merge_limits, remember_ranges, usual_ranges
from train.importing.reference import center_applicant, show_acceptance, show_calibration
from train.importing.rule import ASK, Rule, describe_rule, find_rule
from train.importing.source import Source, describe_source, name_columns, open_source
from train.importing.weights import Prior, correct, correction_factor, find_reweighting, shift
from train.judged import judge
from train.policy import describe_reach, make_policy
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.report.documents import remove_earlier
from train.table import read_table

__all__ = ["parse", "run"]

SYNTHETIC_ROWS = 1_000
"""Synthetic applicants that the proof uses where there is no --reference."""


def run(options: argparse.Namespace, console: Console) -> int:
    """Import a model and write artifact and card; the exit code. Raises TrainingError."""
    # What libraries say of rows that are made only to compare answers is no news to anybody.
    warnings.simplefilter("ignore")
    given = read_card(options.card) if options.card else None
    source = open_source(options, given, console)
    fitted = source.bundle.fitted
    table = read_table(options.reference, read_dialect_options(options), []) if options.reference else None
    labels = name_columns(source.bundle, table, options.target)
    described = describe_source(fitted, source.default, labels)
    known = dict(zip(labels, remember_ranges(fitted), strict=True))
    ranges = [known[one.name] for one in described.inputs]
    if given is None:
        card = make_card(described, make_dataset(options, source), CardPolicy(), known)
        check_card(card)
        path = find_card_path(options.out, card)
        # Before anything is asked, so that it can be completed in any case.
        write_card(path, card)
        console.print(f"Wrote {path}: complete labels, bounds and reasons, then import again with --card {path}")
    else:
        default = source.classes[source.default]
        card = structs.replace(given, dataset=structs.replace(given.dataset, default=default))
        check_inputs(card, described)
    fields = limit_fields(make_fields(card), described.inputs)
    reference = None if table is None else np.column_stack(encode_fields(table, card, fields))
    if reference is not None:
        ranges = [merge_limits(one, column) for one, column in zip(ranges, reference.T, strict=True)]
    if given is None:
        card = make_card(described, card.dataset, CardPolicy(), dict(zip(card.fields, ranges, strict=True)))

    rule = find_rule(options, card.policy, source.bundle, source.default, source.classes)
    policy, factor = apply_prior(options.prior, rule, card.policy, source, console)
    card = structs.replace(card, policy=policy)
    check_card(card)
    if given is None:
        write_card(path, card)
    if factor != 1:
        described = correct(described, factor)
        card = structs.replace(card, policy=shift_policy(policy, factor))
    population = reference if reference is not None else center_applicant(described, ranges)
    check_complete(rule, population, described)
    decides = make_policy(card.policy, card.inputs, reference)
    for note in () if reference is None else describe_reach(decides, reference):
        console.print(f"note: {note}", style="yellow", markup=False)
    write_model(options, console, source, described, card, decides, reference, population, ranges)
    if table is not None and reference is not None:
        probability = described.probability(reference)
        judged = judge(decides, probability, reference)
        console.print(show_acceptance(table, judged), markup=False)
        if options.target:
            default = source.classes[source.default]
            for line in show_calibration(table, options.target, default, probability, judged, options.seed):
                console.print(line, markup=False)
    return 0


def apply_prior(
    prior: Prior | None, rule: Rule | None, carded: CardPolicy, source: Source, console: Console
) -> tuple[CardPolicy, float]:
    """The policy for the card, and what the odds are multiplied by; tells rule, weights and correction."""
    policy = rule.policy if rule else carded
    if prior is None and policy.prior is not None:
        prior = Prior(policy.prior, policy.trained_rate)
    if rule is not None:
        console.print(describe_rule(rule), markup=False)
    found = find_reweighting(source.bundle.fitted)
    if found and prior is None:
        console.print(
            f"note: its probabilities are no default rates ({', '.join(one.what for one in found)}); "
            "--prior RATE corrects them, and keeps every decision of a threshold"
            + ("" if policy.exposure is None else "; without it expected losses and profits are wrong"),
            style="yellow",
            markup=False,
        )
    if prior is None:
        return policy, 1.0
    factor = correction_factor(found, prior, source.default)
    weighted = f" for {', '.join(one.what for one in found)}" if found and prior.trained is None else ""
    console.print(
        f"The odds of default are multiplied by {factor:.6g} to correct the probabilities{weighted}", markup=False
    )
    if policy.threshold is not None:
        shifted = shift(policy.threshold, factor)
        console.print(
            f"The threshold {policy.threshold:.6g} on the model's own probabilities is {shifted:.6g} on the corrected "
            "ones; decisions stay the same",
            markup=False,
        )
    return structs.replace(policy, prior=prior.rate, trained_rate=prior.trained), factor


def shift_policy(policy: CardPolicy, factor: float) -> CardPolicy:
    """The policy on the corrected probabilities; costs and money are about them already."""
    if policy.threshold is None or factor == 1:
        return policy
    return structs.replace(policy, threshold=shift(policy.threshold, factor))


def make_dataset(options: argparse.Namespace, source: Source) -> CardDataset:
    """The card's part about the table, which here is the model's own file."""
    stated = {
        "name": options.name,
        "path": str(source.paths[-1]),
        "target": options.target or "",
        "default": source.classes[source.default],
    }
    try:
        return msgspec.convert(stated, CardDataset)
    except msgspec.ValidationError as error:
        raise TrainingError(f"--name {options.name!r} can't be used: {error}") from error


def check_complete(rule: Rule | None, population: Matrix | None, described: FittedModel) -> None:
    """Raise TrainingError for what is still to be said: the rule, and applicants where reasons are relative to them."""
    asked = []
    if rule is None:
        asked.append(f"say {ASK}")
    if population is None and needs_reference(described):
        asked.append(
            "give a table of applicants, which contributions are relative to, because the model remembers no mean "
            "applicant: --reference TABLE"
        )
    if asked:
        raise TrainingError("; and ".join(asked))


def write_model(
    options: argparse.Namespace,
    console: Console,
    source: Source,
    described: FittedModel,
    card: Card,
    policy: Policy,
    reference: Matrix | None,
    population: Matrix | None,
    ranges: Sequence[Range],
) -> None:
    """Export the model, prove it, and write it; `card` and `policy`: on the corrected probabilities."""
    inputs = [*source.paths, *(path for path in (options.card, options.reference) if path)]
    origin = trace_origin(inputs)
    training = Training(
        estimator=f"imported {described.estimator}",
        rows=0,
        holdout_rows=0,
        default_rate=None,
        seed=options.seed,
        data_sha256=sha256(b"".join(path.read_bytes() for path in inputs)),
        card_sha256=sha256(format_card(card)),
        commit=origin.commit,
        libraries=origin.libraries,
    )
    contract = make_contract(card, training, origin.trained_at, metrics={}, policy=policy)
    contract = structs.replace(contract, fields=limit_fields(contract.fields, described.inputs))
    if reference is not None:
        contract = structs.replace(
            contract,
            bins=make_bins(contract.fields, reference),
            probability_bins=bin_numbers(described.probability(reference)),
        )
    usual = narrow_fields(contract.fields, usual_ranges(described, ranges))
    applicants = draw_applicants(usual, SYNTHETIC_ROWS, options.seed) if reference is None else reference
    check_missing(contract.fields, described, applicants[:1_000])
    relative_to = None if population is None else draw_reference(population, options.seed)
    try:
        content = export(described, contract, relative_to, usual)
    except ValueError as error:
        raise TrainingError(f"{source.paths[-1]} can't be exported: {error}") from error
    model = load_model(content)
    console.print(str(prove(described, model, applicants, options.seed)), markup=False)
    path = options.out / "model.onnx"
    write_whole(path, content)
    left = remove_earlier(options.out)
    if left is not None:
        console.print(f"note: {left}", style="yellow", markup=False)
    console.print(f"Wrote {path}: {contract.version}, sha256 {model.sha256[:12]}…", markup=False)


def narrow_fields(fields: Sequence[Field], ranges: Sequence[Range]) -> list[Field]:
    """The fields with bounds around most values, to draw applicants from."""
    narrowed = []
    for field, known in zip(fields, ranges, strict=True):
        low = max((bound for bound in (field.minimum, known.minimum) if bound is not None), default=None)
        high = min((bound for bound in (field.maximum, known.maximum) if bound is not None), default=None)
        is_range = field.kind == "number" and (low is None or high is None or low <= high)
        narrowed.append(structs.replace(field, minimum=low, maximum=high) if is_range else field)
    return narrowed
