"""What a model's contributions are, and what they add up from."""

from __future__ import annotations

from model.contract import Attribution
from train.dataset import Matrix
from train.export.paths import expected_value
from train.export.splits import has_tables
from train.fitted.linear import Linear
from train.fitted.model import FittedModel, Member
from train.fitted.trees import Trees


def describe_attribution(model: FittedModel) -> Attribution:
    """Unit and definition of a model's contributions."""
    is_small = all(has_tables(member.function) for member in model.members if isinstance(member.function, Trees))
    return Attribution(model.unit, "interventional" if is_small else "path-dependent")


def needs_reference(model: FittedModel) -> bool:
    """Whether contributions are relative to applicants that the model itself doesn't tell."""
    definition = describe_attribution(model).definition
    return any(
        member.function.center is None if isinstance(member.function, Linear) else definition == "interventional"
        for member in model.members
    )


def find_base_value(model: FittedModel, reference: Matrix | None) -> float:
    """The mean score of the training rows where the model tells it, else of `reference`, float64, (m, n_fields)."""
    definition = describe_attribution(model).definition
    return sum(member.weight / model.total * _mean_value(member, definition, reference) for member in model.members)


def _mean_value(member: Member, definition: str, reference: Matrix | None) -> float:
    function = member.function
    if isinstance(function, Trees) and definition == "path-dependent":
        return expected_value(function.divided())
    if isinstance(function, Linear) and function.center is not None:
        return float(function.log_odds(function.center[None])[0])
    if reference is None:
        raise ValueError("its contributions are relative to a reference population; give a table of applicants")
    return float(member.value(reference).mean())
