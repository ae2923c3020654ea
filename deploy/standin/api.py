"""The stand-in over HTTP: the Platform API's calls that a deployment makes, git, and the router in front of the app.

Both sides authenticate as the platform does: the API with a bearer token, git with the same token as a password.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.standin.platform import Platform

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

HOP_BY_HOP = ("connection", "content-encoding", "content-length", "transfer-encoding")
"""Headers of one leg of the way; the router's answer has its own."""

Endpoint = Callable[[Request], Awaitable[Response]]


def make_api(platform: Platform, key: str, repository: Path, web_url: str) -> Starlette:
    """The API and the git side: `repository` is the bare repository that /NAME.git serves."""

    def guarded(endpoint: Endpoint) -> Endpoint:
        async def guard(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {key}":
                return JSONResponse({"id": "unauthorized", "message": "Invalid credentials provided."}, 401)
            return await endpoint(request)

        return guard

    async def show_app(request: Request) -> Response:
        return JSONResponse({"id": platform.name, "name": platform.name, "web_url": web_url})

    async def list_releases(request: Request) -> Response:
        newest_first = "order=desc" in request.headers.get("range", "")
        listed = [release.as_json() for release in platform.releases]
        return JSONResponse(listed[::-1] if newest_first else listed, 206)

    async def show_release(request: Request) -> Response:
        found = platform.find_release(request.path_params["release"])
        return JSONResponse(found.as_json()) if found else not_found("release")

    async def create_release(request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        if "release" in asked:
            old = platform.find_release(str(asked["release"]))
            if old is None:
                return not_found("release")
            return JSONResponse(platform.start_release(old.slug, f"Rollback to v{old.version}").as_json(), 201)
        slug = platform.slugs.get(str(asked.get("slug")))
        if slug is None:
            return not_found("slug")
        return JSONResponse(platform.start_release(slug, f"Deploy {slug.commit[:8]}").as_json(), 201)

    async def create_slug(request: Request) -> Response:
        # The platform takes the slug's archive by a second request; here it is a folder of the same machine.
        asked = await request.json()
        slug = platform.add_slug(asked["commit"], Path(asked["folder"]))
        return JSONResponse({"id": slug.id, "commit": slug.commit}, 201)

    async def show_slug(request: Request) -> Response:
        slug = platform.slugs.get(request.path_params["slug"])
        return JSONResponse({"id": slug.id, "commit": slug.commit}) if slug else not_found("slug")

    async def list_dynos(request: Request) -> Response:
        return JSONResponse(platform.dynos(), 206)

    async def git(request: Request) -> Response:
        if request.headers.get("authorization") != f"Basic {base64.b64encode(f'heroku:{key}'.encode()).decode()}":
            return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="git"'})
        return await run_git(request, repository)

    app = f"/apps/{platform.name}"
    return Starlette(
        routes=[
            Route(app, guarded(show_app)),
            Route(f"{app}/releases", guarded(list_releases)),
            Route(f"{app}/releases", guarded(create_release), methods=["POST"]),
            Route(f"{app}/releases/{{release}}", guarded(show_release)),
            Route(f"{app}/slugs", guarded(create_slug), methods=["POST"]),
            Route(f"{app}/slugs/{{slug}}", guarded(show_slug)),
            Route(f"{app}/dynos", guarded(list_dynos)),
            Route(f"/{platform.name}.git/{{path:path}}", git, methods=["GET", "POST"]),
        ]
    )


def make_router(platform: Platform) -> Starlette:
    """What stands in front of the app: a URL that stays while dynos come and go."""
    client = httpx.AsyncClient(trust_env=False, timeout=30.0)

    async def forward(request: Request) -> Response:
        base = platform.web_url()
        if base is None:
            return Response("No web process is running", 503)
        url = f"{base}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        try:
            answer = await client.request(
                request.method, url, headers=request.headers.raw, content=await request.body()
            )
        except httpx.HTTPError:
            return Response("The web process didn't answer", 503)
        headers = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return Response(answer.content, answer.status_code, headers)

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])


async def run_git(request: Request, repository: Path) -> Response:
    """Answer one request of git's smart HTTP protocol by `git http-backend`, a CGI program."""
    body = await request.body()
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "GIT_PROJECT_ROOT": str(repository),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{request.path_params['path']}",
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "REMOTE_USER": "heroku",
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        },
    )
    output, _ = await process.communicate(body)
    head, _, content = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    return Response(content, int(headers.pop("Status", "200").split()[0]), headers)


def not_found(kind: str) -> Response:
    """The Platform API's answer for what isn't there."""
    return JSONResponse({"id": "not_found", "message": f"Couldn't find that {kind}."}, 404)
