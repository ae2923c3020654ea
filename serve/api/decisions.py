"""GET /v1/decisions, GET /v1/decisions/{id}, POST /v1/decisions/{id}/review and POST /v1/outcomes.

Imported only where decisions are recorded. serve/app.py answers 503 where they can't be read or recorded now.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from decisions.ids import is_id
from decisions.outcomes import ErasedDecision, InvalidOutcomes, Prepared, make_review, prepare_outcomes
from decisions.reading import find_case, summarize, write_time
from decisions.reading import list_decisions as read_page
from decisions.record import DecisionPayload, Entry, Record
from decisions.recorder import NotRecorded
from decisions.replay import KeptModels, ReplayedDecision, ReplayError, replay_decision
from decisions.store import Store
from model.results import make_results
from serve.api.body import read_body
from serve.api.endpoint import json_response
from serve.schemas.decision_requests import GivenOutcomes, read_list_query, read_outcomes, read_review
from serve.schemas.decisions import (
    CaseResponse,
    DecisionsResponse,
    DecisionSummary,
    KnownOutcome,
    OutcomesResponse,
    Review,
)
from serve.schemas.problems import InvalidRequest, erased, no_decision, no_record, not_replayable
from serve.schemas.responses import Fault, describe_model
from serve.state import AppState

logger = logging.getLogger("credit")


async def list_decisions(request: Request) -> Response:
    """GET /v1/decisions: a page of recorded decisions, the newest first."""
    state: AppState = request.app.state.service
    query = read_list_query(request.query_params.multi_items())
    page = await state.read_decisions(lambda store: read_page(store, query.chosen, query.cursor, query.limit))
    return json_response(msgspec.convert(page, DecisionsResponse, from_attributes=True))


async def show_decision(request: Request) -> Response:
    """GET /v1/decisions/{id}: a recorded decision, answered again by its model file, and what happened since."""
    state: AppState = request.app.state.service
    decision_id = _read_id(request)
    case = await state.read_decisions(lambda store: _describe_case(store, decision_id))
    if case is None:
        raise no_decision(decision_id)
    return json_response(case)


async def review_decision(request: Request) -> Response:
    """POST /v1/decisions/{id}/review: record what a person decided; the latest review is the final word."""
    state: AppState = request.app.state.service
    decision_id, context = _read_id(request), request.scope["state"]["context"]
    body = await read_body(request, state)
    review = await state.run_blocking(lambda: read_review(body))
    case = await state.read_decisions(lambda store: find_case(store, decision_id))
    if case is None:
        raise no_decision(decision_id)
    try:
        entry = make_review(
            case,
            decision=review.decision,
            reason=review.reason,
            note=review.note,
            who=review.who,
            key=context.key_name,
            request_id=context.request_id.decode(),
        )
    except ErasedDecision as error:
        raise erased(str(error)) from error
    await _record(state, [entry])
    return json_response(_describe_event(entry), 201)


async def add_outcomes(request: Request) -> Response:
    """POST /v1/outcomes: record what became of decisions, all or none; what is on record already stays as it is."""
    state: AppState = request.app.state.service
    key = request.scope["state"]["context"].key_name
    body = await read_body(request, state)
    given = await state.run_blocking(lambda: read_outcomes(body))
    prepared = await state.read_decisions(lambda store: _prepare(store, given, key))
    try:
        await _record(state, prepared.entries)
    except NotRecorded:
        # Another request may have recorded the same outcomes since they were looked for.
        prepared = await state.read_decisions(lambda store: _prepare(store, given, key))
        await _record(state, prepared.entries)
    return json_response(msgspec.convert({"outcomes": prepared.recorded}, OutcomesResponse, from_attributes=True))


def _read_id(request: Request) -> str:
    decision_id: str = request.path_params["id"]
    if not is_id(decision_id):
        raise no_decision(decision_id)
    return decision_id


async def _record(state: AppState, entries: Sequence[Entry]) -> None:
    if state.recorder is None:
        raise no_record()
    if entries:
        await state.recorder.append(entries)


def _prepare(store: Store, given: GivenOutcomes, key: str | None) -> Prepared:
    try:
        return prepare_outcomes(store, given.outcomes, key)
    except InvalidOutcomes as error:
        faults = [Fault(given.pointers[index], detail) for index, detail in error.faults]
        raise InvalidRequest(faults) from error


@lru_cache(maxsize=1)
def _keep_models(store: Store) -> KeptModels:
    """The models loaded from a store, for all requests; a new connection begins anew."""
    return KeptModels(store)


def _describe_case(store: Store, decision_id: str) -> CaseResponse | None:
    case = find_case(store, decision_id)
    if case is None:
        return None
    record, models = case.decision, _keep_models(store)  # type: ignore[arg-type]  # hashed by identity
    try:
        model, replayed = models.load(record.model or ""), replay_decision(models, record)
    except ReplayError as error:
        logger.error("decision %s can't be replayed: %s", decision_id, error)  # noqa: TRY400
        raise not_replayable(str(error)) from error
    return CaseResponse(
        decision=msgspec.convert(summarize(store, record), DecisionSummary, from_attributes=True),
        request_id=record.request_id,
        key=record.key,
        reasons=record.reasons or 0,
        chain=str(record.chain),
        sequence=record.sequence,
        hash=record.hash.hex(),
        **_describe_replay(record, replayed),
        model=describe_model(model.contract, model.sha256),
        history=[_describe_event(event) for event in case.history if event.kind in ("review", "outcome")],
    )


def _describe_replay(record: Record, replayed: ReplayedDecision | None) -> dict[str, Any]:
    """Inputs, result and is_identical of a case."""
    if replayed is None or record.payload is None:
        return {"inputs": None, "result": None, "is_identical": None}
    fields, row = replayed.model.contract.fields, replayed.row
    inputs = {
        field.name: None if math.isnan(value) else field.levels[int(value)] if field.kind == "category" else value
        for field, value in zip(fields, row.tolist(), strict=True)
    }
    (result,) = make_results(
        replayed.model,
        row[None],
        replayed.scores,
        ids=[msgspec.json.decode(record.payload, type=DecisionPayload).id],
        max_reasons=len(fields),
        what_would_change=True,
        decision_ids=[record.id],
    )
    return {"inputs": inputs, "result": result, "is_identical": replayed.is_identical}


def _describe_event(event: Entry | Record) -> Review | KnownOutcome:
    """A review or an outcome; what only its payload has is None once that has been erased."""
    given = dict.fromkeys(("reason", "note", "who", "date", "defaulted", "amount_lost"))
    if event.payload is not None:
        given |= msgspec.json.decode(event.payload)
    head = {"kind": event.kind, "id": event.id, "time": write_time(event.time), "key": event.key}
    described: Review | KnownOutcome = msgspec.convert(
        {**given, **head, "decision": event.decision}, Review | KnownOutcome
    )
    return described
