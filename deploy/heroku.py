"""The few calls of the Heroku Platform API that a deployment needs.

https://devcenter.heroku.com/articles/platform-api-reference; the types hold what is read of each answer, and nothing
of an answer that isn't listed here is relied upon.
"""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx
import msgspec
from msgspec import Struct

from deploy.errors import DeployError
from deploy.settings import Settings

NEWEST = 50
TIMEOUT_SECONDS = 30.0

T = TypeVar("T")


class App(Struct, frozen=True):
    """An app; `web_url` is where it answers."""

    name: str
    web_url: str


class SlugId(Struct, frozen=True):
    """The slug of a release."""

    id: str


class Release(Struct, frozen=True):
    """A version of the app: a slug with its config. `current`: the one that the dynos run."""

    id: str
    version: int
    status: Literal["failed", "pending", "succeeded", "expired"]
    description: str
    current: bool
    slug: SlugId | None

    def __str__(self) -> str:
        return f"v{self.version} ({self.description})"


class Slug(Struct, frozen=True):
    """A built tree and the commit it was built from."""

    id: str
    commit: str | None


class DynoRelease(Struct, frozen=True):
    """The release that a dyno runs."""

    version: int


class DynoState(Struct, frozen=True):
    """A dyno: a process of the app."""

    type: str
    state: str
    release: DynoRelease


class Heroku:
    """One app, asked over HTTP; a context manager. Every call raises DeployError if the platform doesn't answer it."""

    def __init__(self, settings: Settings) -> None:
        self._path = f"/apps/{settings.app}"
        self._client = httpx.Client(
            base_url=settings.api_url,
            timeout=TIMEOUT_SECONDS,
            headers={
                "Accept": "application/vnd.heroku+json; version=3",
                "Authorization": f"Bearer {settings.key}",
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def app(self) -> App:
        """The app itself."""
        return self._ask("GET", "", App)

    def releases(self) -> list[Release]:
        """The newest releases, newest first."""
        return self._ask("GET", "/releases", list[Release], headers={"Range": f"version ..; order=desc, max={NEWEST}"})

    def release(self, version: int) -> Release:
        """One release."""
        return self._ask("GET", f"/releases/{version}", Release)

    def commit_of(self, release: Release) -> str | None:
        """The commit that a release was built from; None for a release without a slug, such as the first of an app."""
        return self._ask("GET", f"/slugs/{release.slug.id}", Slug).commit if release.slug else None

    def roll_back(self, to: Release) -> Release:
        """Make a new release out of an old one's slug."""
        return self._ask("POST", "/releases", Release, json={"release": to.id})

    def web_dynos(self) -> list[DynoState]:
        """The web processes."""
        return [dyno for dyno in self._ask("GET", "/dynos", list[DynoState]) if dyno.type == "web"]

    def _ask(
        self, method: str, path: str, kind: type[T], *, headers: dict[str, str] | None = None, json: object = None
    ) -> T:
        request = self._client.build_request(method, self._path + path, headers=headers, json=json)
        try:
            answer = self._client.send(request)
        except httpx.HTTPError as error:
            raise DeployError(f"{method} {request.url}: {error or type(error).__name__}; try again") from error
        if answer.status_code in (401, 403):
            raise DeployError(
                f"{method} {request.url} answered {answer.status_code}: HEROKU_API_KEY is not accepted for this app; "
                "make a new one as docs/deploy.md tells"
            )
        if answer.status_code == 404:
            raise DeployError(f"{method} {request.url} answered 404: is HEROKU_APP the name of an app of this account?")
        if not answer.is_success:
            raise DeployError(f"{method} {request.url} answered {answer.status_code}: {answer.text[:500]}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise DeployError(f"{method} {request.url} answered something else than expected: {error}") from error
