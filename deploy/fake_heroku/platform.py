"""State of the fake platform: slugs, releases and the web dyno."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.dyno import Dyno, run_release, start_web
from deploy.errors import DeployError


@dataclass(frozen=True, slots=True)
class Slug:
    """A slug and the commit it was built from."""

    id: str
    commit: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Release:
    """A release; `status` is pending, succeeded or failed."""

    id: str
    version: int
    slug: Slug
    description: str
    created_at: str
    status: str = "pending"
    current: bool = False

    def as_json(self) -> dict[str, Any]:
        """The release as the Platform API shows it."""
        return {
            "id": self.id,
            "version": self.version,
            "slug": {"id": self.slug.id},
            "description": self.description,
            "created_at": self.created_at,
            "status": self.status,
            "current": self.current,
        }


class Platform:
    """One app. A release becomes current and gets the web dyno only if its release command succeeds."""

    def __init__(self, name: str, config: dict[str, str], log: Path) -> None:
        self.name = name
        self.config = config
        self.log = log
        self.slugs: dict[str, Slug] = {}
        self.releases: list[Release] = []
        self._dyno: Dyno | None = None
        self._state = "down"
        self._change = threading.Lock()

    def add_slug(self, commit: str, folder: Path) -> Slug:
        """Register a slug that the pre-receive hook has built."""
        slug = Slug(str(uuid.uuid4()), commit, folder)
        self.slugs[slug.id] = slug
        return slug

    def start_release(self, slug: Slug, description: str) -> Release:
        """Make a pending release; a thread runs its release command, after which it is current or failed."""
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        release = Release(str(uuid.uuid4()), len(self.releases) + 1, slug, description, moment)
        self.releases.append(release)
        threading.Thread(target=self._finish, args=(release,), daemon=True).start()
        return release

    def find_release(self, name: str) -> Release | None:
        """A release by id or version; None if there is none."""
        return next((found for found in self.releases if name in (found.id, str(found.version))), None)

    def dynos(self) -> list[dict[str, Any]]:
        """The web dyno as the Platform API lists it; empty before the first release."""
        current = next((release for release in self.releases if release.current), None)
        if current is None:
            return []
        ended = self._dyno is not None and self._dyno.process.poll() is not None
        state = "crashed" if self._state == "up" and ended else self._state
        return [{"name": "web.1", "type": "web", "state": state, "release": {"version": current.version}}]

    def web_url(self) -> str | None:
        """The URL of the web dyno; None while it is not up."""
        return self._dyno.url if self._dyno is not None and self._state == "up" else None

    def stop(self) -> None:
        """Stop the web dyno."""
        with self._change:
            self._state = "down"
            if self._dyno is not None:
                self._dyno.stop()

    def _finish(self, release: Release) -> None:
        with self._change:
            try:
                print(run_release(release.slug.folder, **self.config), end="", flush=True)
            except DeployError as error:
                print(f" !     {error}", flush=True)
                self._replace(replace(release, status="failed"))
                return
            self._state = "starting"
            for other in [other for other in self.releases if other.current]:
                self._replace(replace(other, current=False))
            self._replace(replace(release, status="succeeded", current=True))
            if self._dyno is not None:
                self._dyno.stop()
            self._dyno = start_web(release.slug.folder, log=self.log, **self.config)
            self._state = "up" if self._dyno.wait_until_bound() else "crashed"

    def _replace(self, release: Release) -> None:
        self.releases[release.version - 1] = release
