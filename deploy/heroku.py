"""Client of the Heroku Platform API, with the calls that deploy/release.py needs; when to call them is decided there.

https://devcenter.heroku.com/articles/platform-api-reference; the types list the fields of a response that are used.
"""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx
import msgspec
from msgspec import Struct

from deploy.errors import DeployError
from deploy.settings import Settings

MAX_RELEASES = 50
TIMEOUT_SECONDS = 30.0

T = TypeVar("T")


class App(Struct, frozen=True):
    """An app and its public URL."""

    name: str
    web_url: str


class SlugId(Struct, frozen=True):
    """The slug of a release."""

    id: str


class Release(Struct, frozen=True):
    """A release of the app: a slug and its config vars. `current`: whether the dynos run it."""

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
    """A process of the app and its state, such as up or crashed."""

    type: str
    state: str
    release: DynoRelease


class Heroku:
    """One app; a context manager. Every call raises DeployError if it fails."""

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
        """The app."""
        return self._call("GET", "", App)

    def releases(self) -> list[Release]:
        """The last MAX_RELEASES releases, newest first."""
        return self._call(
            "GET", "/releases", list[Release], headers={"Range": f"version ..; order=desc, max={MAX_RELEASES}"}
        )

    def release(self, version: int) -> Release:
        """The release of that version."""
        return self._call("GET", f"/releases/{version}", Release)

    def commit_of(self, release: Release) -> str | None:
        """The commit that a release was built from; None if it has no slug, as the first release of an app."""
        return self._call("GET", f"/slugs/{release.slug.id}", Slug).commit if release.slug else None

    def roll_back(self, to: Release) -> Release:
        """Make a new release from the slug of an old one."""
        return self._call("POST", "/releases", Release, json={"release": to.id})

    def web_dynos(self) -> list[DynoState]:
        """The web dynos."""
        return [dyno for dyno in self._call("GET", "/dynos", list[DynoState]) if dyno.type == "web"]

    def _call(
        self, method: str, path: str, kind: type[T], *, headers: dict[str, str] | None = None, json: object = None
    ) -> T:
        request = self._client.build_request(method, self._path + path, headers=headers, json=json)
        try:
            response = self._client.send(request)
        except httpx.HTTPError as error:
            raise DeployError(f"{method} {request.url}: {error or type(error).__name__}; try again") from error
        if response.status_code in (401, 403):
            raise DeployError(
                f"{method} {request.url} answered {response.status_code}: HEROKU_API_KEY is not accepted for this app; "
                "create a new one, see docs/deployment.md"
            )
        if response.status_code == 404:
            raise DeployError(f"{method} {request.url} answered 404: is HEROKU_APP the name of an app of this account?")
        if not response.is_success:
            raise DeployError(f"{method} {request.url} answered {response.status_code}: {response.text[:500]}")
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as error:
            raise DeployError(f"{method} {request.url} answered with an unexpected body: {error}") from error
