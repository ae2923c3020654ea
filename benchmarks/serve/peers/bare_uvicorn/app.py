"""Upper bound: uvicorn, uvloop and httptools answer a constant as long as our response to any request."""

from __future__ import annotations

import os
from typing import Any

import uvicorn

LENGTHS = (("/predict", "PREDICT_BYTES"), ("/score", "SCORE_BYTES"), ("/v2/models/credit/infer", "BINARY_BYTES"))
ANSWERS = {path: b"1" * int(os.environ[name]) for path, name in LENGTHS}
HEADERS = {
    path: [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    for path, answer in ANSWERS.items()
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Respond without reading the body."""
    path = scope["path"]
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS[path]})
    await send({"type": "http.response.body", "body": ANSWERS[path]})


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="error",
    )
