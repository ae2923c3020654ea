"""What the service answers about applicants: POST /predict and POST /score."""

from __future__ import annotations

import msgspec

from serve.applicants import warn
from serve.bodies import ScoreRequest, read_predict, read_score
from serve.changes import find_changes
from serve.contract import DECISIONS
from serve.exchange import Ask, Reply, Work
from serve.messages import Result, ScoreAnswer
from serve.model import Matrix, Scores
from serve.reasons import name_reasons
from serve.served import Served
from serve.sheets import SHEET, is_sheet, read_sheet, write_sheet

TELLING, EXPLAINING, CHANGING = 5, 5, 1_000
"""So many rows' time take one applicant's answer in words, its reasons, and the search for what would change it."""

_encode = msgspec.json.Encoder().encode


def predict(ask: Ask) -> Work:
    """POST /predict, the compatible contract: `{"data": [[…], …]}` → one probability a row."""
    rows = read_predict(ask.body, ask.served.forms, ask.served.most_rows, is_on_loop=ask.is_on_loop)

    def finish(matrix: Matrix, scores: Scores) -> Reply:
        return Reply(_encode(scores.probability.tolist()), applicants=len(matrix))

    return Work(rows, False, len(rows), finish)


def score(ask: Ask) -> Work:
    """POST /score: probability, decision, points, reasons and warnings for each applicant, from JSON or CSV."""
    served = ask.served
    has_sheet = is_sheet(ask)
    read = read_sheet if has_sheet else read_score
    asked = read(ask.body, served.forms, served.most_rows, is_on_loop=ask.is_on_loop)
    weight = TELLING + EXPLAINING * (asked.reasons > 0) + CHANGING * asked.what_would_change

    def finish(matrix: Matrix, scores: Scores) -> Reply:
        answer = ScoreAnswer(_results(served, asked, matrix, scores), served.name)
        if has_sheet and b"json" not in ask.header(b"accept"):
            return Reply(write_sheet(answer), SHEET, applicants=len(matrix))
        return Reply(_encode(answer), applicants=len(matrix))

    return Work(asked.rows, asked.reasons > 0, weight * len(asked.rows), finish)


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
