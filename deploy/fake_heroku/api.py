"""The HTTP side of the fake platform: Platform API, git, and the router in front of the app.

As on Heroku, the API takes the key as a bearer token and git takes it as a password.
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

from deploy.fake_heroku.platform import Platform

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

HOP_BY_HOP = ("connection", "content-encoding", "content-length", "transfer-encoding")
"""Response headers that the router does not forward (RFC 9110, section 7.6.1), or that it sets itself."""

Endpoint = Callable[[Request], Awaitable[Response]]


def make_api(platform: Platform, key: str, repository: Path, web_url: str) -> Starlette:
    """The Platform API, and git at /NAME.git for the bare repository `repository`."""

    def authenticated(endpoint: Endpoint) -> Endpoint:
        async def check_key(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {key}":
                return JSONResponse({"id": "unauthorized", "message": "Invalid credentials provided."}, 401)
            return await endpoint(request)

        return check_key

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
        body: dict[str, Any] = await request.json()
        if "release" in body:
            old = platform.find_release(str(body["release"]))
            if old is None:
                return not_found("release")
            return JSONResponse(platform.start_release(old.slug, f"Rollback to v{old.version}").as_json(), 201)
        slug = platform.slugs.get(str(body.get("slug")))
        if slug is None:
            return not_found("slug")
        return JSONResponse(platform.start_release(slug, f"Deploy {slug.commit[:8]}").as_json(), 201)

    async def create_slug(request: Request) -> Response:
        # Heroku takes the archive by a second request; here the slug is a folder on the same machine.
        body = await request.json()
        slug = platform.add_slug(body["commit"], Path(body["folder"]))
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
            Route(app, authenticated(show_app)),
            Route(f"{app}/releases", authenticated(list_releases)),
            Route(f"{app}/releases", authenticated(create_release), methods=["POST"]),
            Route(f"{app}/releases/{{release}}", authenticated(show_release)),
            Route(f"{app}/slugs", authenticated(create_slug), methods=["POST"]),
            Route(f"{app}/slugs/{{slug}}", authenticated(show_slug)),
            Route(f"{app}/dynos", authenticated(list_dynos)),
            Route(f"/{platform.name}.git/{{path:path}}", git, methods=["GET", "POST"]),
        ]
    )


def make_router(platform: Platform) -> Starlette:
    """The router: a fixed URL that forwards every request to the current dyno."""
    client = httpx.AsyncClient(trust_env=False, timeout=30.0)

    async def forward(request: Request) -> Response:
        base = platform.web_url()
        if base is None:
            return Response("No web process is running", 503)
        url = f"{base}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        try:
            response = await client.request(
                request.method, url, headers=request.headers.raw, content=await request.body()
            )
        except httpx.HTTPError:
            return Response("The web process did not answer", 503)
        headers = {name: value for name, value in response.headers.items() if name not in HOP_BY_HOP}
        return Response(response.content, response.status_code, headers)

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])


async def run_git(request: Request, repository: Path) -> Response:
    """Answer a request of git's smart HTTP protocol by running `git http-backend`, a CGI program."""
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
    """The Platform API's 404 response."""
    return JSONResponse({"id": "not_found", "message": f"Couldn't find that {kind}."}, 404)
