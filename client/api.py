"""HTTP client of the service, with one exception type for each kind of failure.

Applicants are sent only to the address in the settings and are never logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import httpx
import msgspec

from client.cases import Case, CasePage, Recording, Review, Search
from client.responses import (
    CONTRACT_VERSION,
    Applicant,
    ContractVersion,
    ErrorDetail,
    Model,
    Problem,
    RawScoreResponse,
    Result,
    ScoreResponse,
    TableResponse,
    add_further,
)

NOT_RECORDED = "urn:problem:not-recorded"

JSON = {"Content-Type": "application/json"}

TIMEOUT = httpx.Timeout(30.0, connect=3.0)

_Response = TypeVar("_Response")


class ApiError(Exception):
    """The service can't be used; the subclass says why."""


class ApiUnreachable(ApiError):
    """Nothing responds at the address."""


class KeyRejected(ApiError):
    """The API key is missing or not accepted (401, 403)."""


class ContractMismatch(ApiError):
    """The response has another contract version, or doesn't come from this service at all."""


class NotFound(ContractMismatch):
    """The service has nothing under this path (404)."""


class ServiceError(ApiError):
    """The service failed or rejected the request because of its load (429, 5xx)."""


class NotRecorded(ServiceError):
    """The service gives no decision, because it can't record it (503)."""


class TooLarge(ApiError):
    """The request has more bytes or rows than the service takes (413)."""


class InvalidApplicants(ApiError):
    """The service can't score these applicants, or read this table; `errors` lists what is wrong with it."""

    def __init__(self, detail: str, errors: Sequence[ErrorDetail]) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)


class Api:
    """Client of one service; its connections are kept open and shared between threads."""

    def __init__(self, url: str, key: str = "", *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport)

    def model(self) -> Model:
        """Get the contract of the model that is served; raises ApiError."""
        content = self._send("GET", "/model")
        version = _decode(content, ContractVersion).contract_version
        if version != CONTRACT_VERSION:
            raise ContractMismatch(f"contract version {str(version)[:20]}, expected {CONTRACT_VERSION}")
        return _decode(content, Model)

    def score(
        self,
        applicants: Sequence[Applicant],
        ids: Sequence[str | None] = (),
        *,
        reasons: int = 4,
        what_would_change: bool = False,
    ) -> tuple[Result, ...]:
        """Score applicants, with at most `reasons` reasons each; returns results in the order of the applicants.

        `ids`: of the applicants, for the record of the decisions. Raises InvalidApplicants if one of them can't be
        scored, NotRecorded if the decisions can't be recorded, else ApiError.
        """
        given = ids or [None] * len(applicants)
        # A field that is named `id` has that name for itself.
        named: list[Applicant] = [
            {"id": id_, **applicant} if id_ else applicant for id_, applicant in zip(given, applicants, strict=True)
        ]
        body = {"applicants": named, "reasons": reasons, "what_would_change": what_would_change}
        content = self._send("POST", "/score", msgspec.json.encode(body))
        results = zip(_decode(content, ScoreResponse).results, _decode(content, RawScoreResponse).results, strict=True)
        return tuple(add_further(result, attributes) for result, attributes in results)

    def read_table(
        self, table: bytes, *, separator: str = "", decimal: str = "", charset: str = "", content_encoding: str = ""
    ) -> TableResponse:
        """Read a text table without scoring it; what isn't said of it, the service finds.

        Raises InvalidApplicants if it can't be read, else ApiError.
        """
        options = {"separator": separator, "decimal": decimal}
        query = httpx.QueryParams({name: value for name, value in options.items() if value})
        headers = {"Content-Type": f"text/csv; charset={charset}" if charset else "text/csv"}
        if content_encoding:
            headers["Content-Encoding"] = content_encoding
        path = f"/applicants?{query}" if query else "/applicants"
        return _decode(self._send("POST", path, table, headers), TableResponse)

    def recording(self) -> Recording:
        """Whether the service records its decisions, and this key may read them; raises ApiError."""
        try:
            self.list_cases(Search(), limit=1)
        except NotFound:
            return "off"
        except KeyRejected:
            return "forbidden"
        except ServiceError:
            # It records, but can't at the moment: what needs the record says so.
            return "on"
        return "on"

    def list_cases(self, search: Search, cursor: str = "", *, limit: int) -> CasePage:
        """A page of the decisions on record, newest first; raises NotFound if none are recorded, else ApiError."""
        query = {
            "applicant": search.applicant,
            "decision": search.decision,
            "from": search.start,
            "to": search.end,
            "open": "true" if search.is_open else "",
            "cursor": cursor,
            "limit": str(limit),
        }
        given = {name: value for name, value in query.items() if value}
        return _decode(self._send("GET", "/v1/decisions", query=given), CasePage)

    def case(self, case_id: str) -> Case:
        """A decision on record, replayed; raises NotFound if there is none with this id, else ApiError."""
        try:
            path = f"/v1/decisions/{UUID(case_id)}"
        except ValueError as error:
            raise NotFound("no id of a decision") from error
        return _decode(self._send("GET", path), Case)

    def review(self, case_id: str, review: Review) -> None:
        """Record a person's decision of a case; raises InvalidApplicants if the service refuses it, else ApiError."""
        self._send("POST", f"/v1/decisions/{UUID(case_id)}/review", msgspec.json.encode(review))

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = JSON,
        query: Mapping[str, str] | None = None,
    ) -> bytes:
        try:
            response = self._client.request(method, path, content=body, headers=headers, params=query)
        except httpx.TransportError as error:
            raise ApiUnreachable(f"{type(error).__name__}: {error}") from error
        if response.is_success:
            return response.content
        problem = _decode_problem(response)
        if response.status_code in (401, 403):
            raise KeyRejected(problem.detail)
        if response.status_code == 404:
            raise NotFound(f"{method} {path}: {response.status_code} {problem.detail}")
        if response.status_code == 405 or response.is_redirect:
            raise ContractMismatch(f"{method} {path}: {response.status_code} {problem.detail}")
        if response.status_code in (400, 422):
            raise InvalidApplicants(problem.detail, problem.errors)
        if response.status_code == 413:
            raise TooLarge(problem.detail)
        kind = NotRecorded if problem.type == NOT_RECORDED else ServiceError
        raise kind(f"{response.status_code} {problem.detail}")


def _decode_problem(response: httpx.Response) -> Problem:
    try:
        return msgspec.json.decode(response.content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Problem(response.reason_phrase)


def _decode(content: bytes, kind: type[_Response]) -> _Response:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContractMismatch(str(error)) from error
