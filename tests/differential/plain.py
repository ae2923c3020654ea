"""The plain application for stock uvicorn with which the service is compared: a request says how it is answered.

Header `x-answer: STATUS LENGTH`, then `unread` if the service answers without the body, and `close` if it closes.
"""

import asyncio
from contextlib import suppress
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the body if the service does, then answer with the id of the request."""
    headers = dict(scope["headers"])
    status, length, *how = headers[b"x-answer"].split()
    is_whole = b"unread" in how
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while not is_whole:
                is_whole = not (await receive()).get("more_body")
    answer = [(b"content-length", length), (b"x-request-id", headers[b"x-request-id"])]
    answer += [(b"connection", b"close")] if b"close" in how or not is_whole else []
    await send({"type": "http.response.start", "status": int(status), "headers": answer})
    await send({"type": "http.response.body", "body": bytes(int(length))})
