"""A model as it is served: the loaded file and all that is kept ready to answer from it, replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from serve.counters import Ledger
from serve.forms import Forms, to_matrix
from serve.home import read_home
from serve.messages import ModelName, describe_model
from serve.model import Matrix, Model, Scores
from serve.settings import Settings
from serve.single import Single
from serve.tally import Tally

if TYPE_CHECKING:
    from serve.exchange import Reply, Work


class Served:
    """Made anew by each reload; a request keeps the one it began with."""

    def __init__(self, model: Model, settings: Settings, ledger: Ledger) -> None:
        contract = model.contract
        self.model = model
        self.fields = contract.fields
        self.most_rows = settings.rows
        self.forms = Forms(contract.fields, settings.rows)
        self.single = Single(model)
        self.tally = Tally(model, ledger)
        self.name = ModelName(contract.name, contract.version, model.sha256)
        self.has_keys = bool(settings.api_keys)
        self.openapi: bytes | None = None
        self.home = read_home(contract)
        self.description = msgspec.json.encode(describe_model(contract, model.sha256))

    def run(self, works: Sequence[Work]) -> list[Reply | Exception]:
        """The replies to several requests at once, on the event loop: those alike are scored in one run of the graph.

        An applicant gets the same bits alone and with others. A finish that fails fails for its own request only.
        """
        if len(works) == 1 and len(works[0].rows) == 1:
            # Whoever asks while nobody else does: the less there is to be done, the sooner is the answer.
            (work,) = works
            scores = self.single.score(work.rows[0], explain=work.explain)
            self.tally.keep(self.single.row, scores)
            return [_finish(work, self.single.row, scores)]
        replies: dict[int, Reply | Exception] = {}
        for explain in (False, True):
            alike = [work for work in works if work.explain is explain]
            if not alike:
                continue
            matrix = self.to_matrix(alike)
            scores = self.model.score(matrix, explain=explain)
            self.tally.keep(matrix, scores)
            start = 0
            for work in alike:
                part = slice(start, start := start + len(work.rows))
                replies[id(work)] = _finish(work, matrix[part], take(scores, part))
        return [replies[id(work)] for work in works]

    def run_apart(self, work: Work) -> tuple[Reply, Batch]:
        """The reply to one request, in another thread; what was scored is still to be counted, on the event loop."""
        matrix = self.to_matrix([work])
        scores = self.model.score(matrix, explain=work.explain)
        return work.finish(matrix, scores), Batch(matrix, scores)

    def to_matrix(self, works: Sequence[Work]) -> Matrix:
        """The rows of some works: float64, shape (n, n_fields)."""
        parts = [to_matrix(work.rows, len(self.fields)) for work in works]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Batch(Struct, frozen=True):
    """Applicants that were scored: float64, shape (n, n_fields), and their scores."""

    applicants: Matrix
    scores: Scores


def _finish(work: Work, matrix: Matrix, scores: Scores) -> Reply | Exception:
    """The reply of a work; or what fails in it, which whose request it was gets."""
    try:
        return work.finish(matrix, scores)
    except Exception as error:  # noqa: BLE001 - that of others is answered
        return error


def take(scores: Scores, part: slice) -> Scores:
    """The scores of some rows; without contributions where there are none."""
    return Scores(scores.probability[part], scores.decision[part], scores.contributions[part])
