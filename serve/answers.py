"""What the service answers about applicants: POST /predict and POST /score."""

from __future__ import annotations

import msgspec
import numpy as np

from serve.applicants import warn
from serve.bodies import ScoreRequest, read_predict, read_score
from serve.changes import find_changes
from serve.contract import DECISIONS
from serve.exchange import Ask, Batch, Heavy, Reply
from serve.forms import to_matrix
from serve.messages import Result, ScoreAnswer
from serve.model import Matrix, Scores
from serve.reasons import name_reasons
from serve.served import Served
from serve.sheets import is_sheet, read_sheet, write_sheet

WORK_ON_THE_LOOP = 250
"""Rows, in the time that a row alone takes, some 2 ms in all: more is done in a worker thread."""

EXPLAINING, CHANGING = 5, 400
"""So many rows' time take the reasons of one row, and the search for what would change it."""

_encode = msgspec.json.Encoder().encode


def predict(ask: Ask) -> Reply:
    """POST /predict, the compatible contract: `{"data": [[…], …]}` → one probability a row."""
    served = ask.served
    rows = read_predict(ask.body, served.forms, served.most_rows, is_on_loop=ask.is_on_loop)
    if len(rows) == 1 and ask.is_on_loop:
        probability, decision = served.single.score(rows[0])
        served.tally.keep(served.single.row, probability, decision)
        return Reply(_encode([probability]), applicants=1)
    stay_light(ask, len(rows))
    matrix = to_matrix(rows, len(served.fields))
    scores = served.model.score(matrix)
    return Reply(_encode(scores.probability.tolist()), applicants=len(rows), batch=Batch(matrix, scores))


def score(ask: Ask) -> Reply:
    """POST /score: probability, decision, points, reasons and warnings for each applicant, from JSON or CSV."""
    served = ask.served
    if is_sheet(ask):
        return _score_sheet(ask)
    asked = read_score(ask.body, served.forms, served.most_rows, is_on_loop=ask.is_on_loop)
    matrix, scores = _run(ask, asked)
    results = _results(served, asked, matrix, scores)
    return _reply(_encode(ScoreAnswer(results, served.name)), b"application/json", ask, matrix, scores)


def _score_sheet(ask: Ask) -> Reply:
    served = ask.served
    asked = read_sheet(ask.body, served.fields, served.most_rows, is_on_loop=ask.is_on_loop)
    matrix, scores = _run(ask, asked)
    answer = ScoreAnswer(_results(served, asked, matrix, scores), served.name)
    if b"json" in ask.header(b"accept"):
        return _reply(_encode(answer), b"application/json", ask, matrix, scores)
    return _reply(write_sheet(answer), b"text/csv; charset=utf-8; header=present", ask, matrix, scores)


def _run(ask: Ask, asked: ScoreRequest) -> tuple[Matrix, Scores]:
    served, explain = ask.served, asked.reasons > 0
    stay_light(ask, len(asked.rows) * (1 + EXPLAINING * explain + CHANGING * asked.what_would_change))
    if len(asked.rows) > 1 or not ask.is_on_loop:
        matrix = to_matrix(asked.rows, len(served.fields))
        return matrix, served.model.score(matrix, explain=explain)
    single = served.single
    probability, decision = single.score(asked.rows[0], explain=explain)
    served.tally.keep(single.row, probability, decision)
    return single.row, Scores(np.array([probability]), np.array([decision]), single.contributions)


def _reply(body: bytes, content_type: bytes, ask: Ask, matrix: Matrix, scores: Scores) -> Reply:
    is_counted = matrix is ask.served.single.row
    return Reply(body, content_type, applicants=len(matrix), batch=None if is_counted else Batch(matrix, scores))


def _results(served: Served, asked: ScoreRequest, matrix: Matrix, scores: Scores) -> list[Result]:
    fields, policy = served.fields, served.model.contract.policy
    answers = zip(scores.probability.tolist(), scores.decision.tolist(), strict=True)
    results = []
    for number, (probability, decision) in enumerate(answers):
        row = matrix[number]
        is_asked_for_changes = asked.what_would_change and DECISIONS[decision] == "refuse"
        results.append(
            Result(
                id=asked.ids[number],
                probability=probability,
                decision=DECISIONS[decision],
                points=policy.score_points(probability),
                reasons=name_reasons(row, scores.contributions[number], fields, asked.reasons) if asked.reasons else [],
                warnings=warn(row, fields),
                what_would_change=find_changes(served.model, row, decision) if is_asked_for_changes else None,
            )
        )
    return results


def stay_light(ask: Ask, rows: int) -> None:
    """Raise Heavy for work, in rows, that would stall the event loop."""
    if ask.is_on_loop and rows > WORK_ON_THE_LOOP:
        raise Heavy
