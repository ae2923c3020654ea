"""What a challenger that didn't stand in the shadow would have decided: recorded applicants, scored by its file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from decisions.store import Store
from model.session import Matrix, Model
from monitor.history import Floats, History
from monitor.recorded_inputs import Columns, derive_columns
from monitor.summary import ModelName

NO_ANSWER = -1

_EMPTY = np.array([(np.nan, NO_ANSWER)], [("probability", "f8"), ("decision", "i1")])


def score_recorded(store: Store, history: History, model: Model, start: int | None, end: int | None) -> History:
    """The history of this period with the answers of this challenger instead of any other's.

    What it answered in the shadow stays. Applicants whose inputs were erased, or whom it doesn't take, have no answer.
    Raises StoreError, and CommandError if it can't score the applicants of any model of the period.
    """

    def answer(applicants: Matrix, _: Floats) -> Columns:
        scores = model.score(applicants)
        is_answer = (scores.probability >= 0) & (scores.probability <= 1)
        found = np.repeat(_EMPTY, len(applicants))
        found["probability"][is_answer] = scores.probability[is_answer]
        found["decision"][is_answer] = scores.decision[is_answer]
        return found

    scored = derive_columns(store, history, model.contract.fields, (start, end), _EMPTY, answer)
    probability, decision = scored["probability"].copy(), scored["decision"].copy()
    if history.challenger is not None and history.challenger.sha256 == model.sha256:
        stood = history.challenger_decision >= 0
        probability[stood], decision[stood] = history.challenger_probability[stood], history.challenger_decision[stood]
    name = ModelName(model.contract.name, model.contract.version, model.sha256)
    return replace(history, challenger=name, challenger_probability=probability, challenger_decision=decision)
