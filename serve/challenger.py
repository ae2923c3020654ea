"""Challenger: a second model file, and what it would have decided about the champion's applicants.

serve/shadow.py calls this in a thread of the challenger's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
from msgspec import Struct

from decisions.chain import now
from decisions.ids import IdSource
from decisions.record import Entry
from decisions.shadows import Shadows, make_shadows
from decisions.store import InvalidRecords, ModelFile, StoreError, open_store
from model.contract import ContractError, Field
from model.field_map import FieldMap
from model.policy import DECISIONS
from model.session import Matrix, Model
from serve.loading import load_runtime
from serve.settings import Settings

BYTES_PER_ROW = 200
"""Of a waiting decision, beside its inputs: its id, and the objects of both ids."""


class Challenger(Struct, frozen=True):
    """A challenger beside a champion with these fields."""

    model: Model
    champion: tuple[Field, ...]
    fields: FieldMap


class Waiting(Struct, frozen=True, gc=False):
    """Decisions that the challenger hasn't scored yet, of one request at `time`.

    `ids`: of the applicants, as given. `applicants`: as the champion took them, float64, shape (n, n_fields).
    """

    challenger: Challenger
    decision_ids: Sequence[str]
    time: int
    ids: Sequence[str | int | None]
    applicants: Matrix

    def measure(self) -> int:
        """Bytes in memory, about: an id may be as long as a body."""
        rows = len(self.applicants)
        return self.applicants.nbytes + BYTES_PER_ROW * rows + sum(len(id) for id in self.ids if isinstance(id, str))

    def cut(self, start: int, stop: int) -> Waiting:
        """The decisions from `start` to before `stop`."""
        some = slice(start, stop)
        ids, applicants = self.ids[some], self.applicants[some]
        return Waiting(self.challenger, self.decision_ids[some], self.time, ids, applicants)


class Scored(Struct, frozen=True):
    """Records of what the challenger would have decided, and how many applicants have none.

    `skipped`: those that it doesn't take. `failed`: those to whom it gave no probability. `seconds`: in its graph.
    """

    entries: Sequence[Entry]
    skipped: int
    failed: int
    seconds: float


class ShadowStatus(Struct, frozen=True):
    """Whether there is a challenger, and counts of applicants since the start.

    `scored`: on record. `skipped`: whom the challenger doesn't take, or for whom it was too slow. `failed`: for whom it
    had no answer, or whose record the database didn't take.
    """

    is_loaded: bool = False
    scored: int = 0
    skipped: int = 0
    failed: int = 0


def load_challenger(path: Path, settings: Settings) -> tuple[Model, ModelFile]:
    """Load a file as strictly as the champion's, so that it can be promoted, and keep it in the database.

    Raises ContractError.
    """
    runtime = load_runtime(path, settings)
    if runtime.file is None:
        raise RuntimeError("DECISIONS_URL is not set")
    # On a connection of its own: no request may wait until a large file is written, nor fail for one that is too large.
    try:
        with closing(open_store(settings.decisions_url, create=False)) as store:
            store.put_model(runtime.file, now())
    except InvalidRecords as error:
        raise ContractError(f"the database doesn't take the model file: {error}; use a smaller one") from error
    except StoreError:
        # The recorder keeps it once the database is there.
        pass
    return runtime.model, runtime.file


def score_portion(portion: Sequence[Waiting], ids: IdSource) -> Scored:
    """Score decisions of the same challenger together; raises one of RUNTIME_ERRORS, or whatever its graph causes."""
    challenger = portion[0].challenger
    model = challenger.model
    rows = challenger.fields.map(np.concatenate([some.applicants for some in portion]))
    taken = np.flatnonzero(challenger.fields.find_taken(rows))
    skipped = len(rows) - len(taken)
    if not len(taken):
        return Scored([], skipped, 0, 0.0)
    began = perf_counter()
    scores = model.score(rows[taken])
    seconds = perf_counter() - began
    is_answer = (scores.probability >= 0) & (scores.probability <= 1)
    is_answer &= (scores.decision >= 0) & (scores.decision < len(DECISIONS))
    answered = taken[is_answer]
    probability = scores.probability[is_answer]
    decision_ids = list(chain.from_iterable(some.decision_ids for some in portion))
    times = list(chain.from_iterable([some.time] * len(some.applicants) for some in portion))
    given_ids = list(chain.from_iterable(some.ids for some in portion))
    numbers = answered.tolist()
    shadows = Shadows(
        ids=ids.reserve(len(answered)),
        model=model.sha256,
        subjects=[decision_ids[number] for number in numbers],
        times=[times[number] for number in numbers],
        applicants=[given_ids[number] for number in numbers],
        inputs=rows[answered].tolist(),
        probability=probability.tolist(),
        decision=[DECISIONS[index] for index in scores.decision[is_answer].tolist()],
        points=model.contract.policy.score_points(probability).tolist(),
    )
    return Scored(make_shadows(shadows), skipped, len(taken) - len(answered), seconds)
