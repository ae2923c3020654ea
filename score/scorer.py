"""`Scorer`: what is scored with, and which columns that needs."""

from __future__ import annotations

from dataclasses import dataclass

from model.session import Model


@dataclass(frozen=True, slots=True)
class Scorer:
    """The model, the number of reasons (0 for none), and the name of the id column.

    `is_with_inputs`: whether the results hold the inputs of the graph too.
    """

    model: Model
    reasons: int
    id: str
    is_with_inputs: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns of the input that are read: the id, then the fields."""
        return [self.id, *(field.name for field in self.model.contract.fields if field.name != self.id)]
