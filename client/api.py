"""The service as the client sees it: GET /model and POST /score over HTTP, each failure under its own name.

Applicants are posted nowhere but to the address of the settings, and are never written to a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import httpx
import msgspec

from client.answers import CONTRACT_VERSION, Applicant, Fault, Model, Problem, Result, ScoreAnswer, Stamp

TIMEOUT = httpx.Timeout(30.0, connect=3.0)

_Answer = TypeVar("_Answer")


class ApiError(Exception):
    """The service can't be used; a subclass says why, the message holds what is known."""


class ApiDown(ApiError):
    """Nothing answers at the address."""


class KeyRefused(ApiError):
    """The service wants a key, and not this one."""


class OtherContract(ApiError):
    """What answers speaks another version of the contract, or something else altogether."""


class ServiceFault(ApiError):
    """The service answered that it can't answer now."""


class InvalidApplicants(ApiError):
    """The service can't score these applicants; `faults` says which and why."""

    def __init__(self, detail: str, faults: Sequence[Fault]) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class Api:
    """One service, behind one address; connections are kept and shared between threads."""

    def __init__(self, url: str, key: str = "", *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport)

    def model(self) -> Model:
        """The contract of the model that is served; raises ApiError."""
        content = self._ask("GET", "/model")
        version = _decode(content, Stamp).contract_version
        if version != CONTRACT_VERSION:
            raise OtherContract(f"contract version {str(version)[:20]}, expected {CONTRACT_VERSION}")
        return _decode(content, Model)

    def score(
        self, applicants: Sequence[Applicant], *, reasons: int = 4, what_would_change: bool = False
    ) -> tuple[Result, ...]:
        """Probability, decision, points and at most so many reasons for each applicant, in order.

        Raises InvalidApplicants if one of them can't be scored, else ApiError.
        """
        body = {"applicants": applicants, "reasons": reasons, "what_would_change": what_would_change}
        return _decode(self._ask("POST", "/score", msgspec.json.encode(body)), ScoreAnswer).results

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            answer = self._client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        except httpx.TransportError as error:
            raise ApiDown(f"{type(error).__name__}: {error}") from error
        if answer.is_success:
            return answer.content
        problem = _read_problem(answer)
        if answer.status_code in (401, 403):
            raise KeyRefused(problem.detail)
        if answer.status_code in (404, 405) or answer.is_redirect:
            raise OtherContract(f"{method} {path}: {answer.status_code} {problem.detail}")
        if answer.status_code in (400, 422):
            raise InvalidApplicants(problem.detail, problem.errors)
        raise ServiceFault(f"{answer.status_code} {problem.detail}")


def _read_problem(answer: httpx.Response) -> Problem:
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Problem(answer.reason_phrase)


def _decode(content: bytes, kind: type[_Answer]) -> _Answer:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OtherContract(str(error)) from error
