"""Every path of the service: its method and the function that answers it. The public contract of the API."""

from __future__ import annotations

import msgspec

from serve import answers, inference, openapi, pages, scrape
from serve.exchange import Answer, Ask, Reply
from serve.messages import ReadyAnswer

_encode = msgspec.json.Encoder().encode


def show_model(ask: Ask) -> Reply:
    """GET /model: the contract of the file, without its golden rows."""
    return Reply(ask.served.description)


def show_live(ask: Ask) -> Reply:
    """GET /livez: the process answers."""
    return Reply(b'{"status":"alive"}')


def show_ready(ask: Ask) -> Reply:
    """GET /readyz: a model is loaded and proven; says which."""
    return Reply(_encode(ReadyAnswer("ready", ask.served.name)))


INFER = "/v2/models/{name}/infer"

DIRECT = ("/predict", "/score")
"""What serve/connection.py answers; inference too, under the name of the model."""

ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("/predict", "POST", answers.predict),
    ("/score", "POST", answers.score),
    ("/model", "GET", show_model),
    ("/livez", "GET", show_live),
    ("/readyz", "GET", show_ready),
    ("/metrics", "GET", scrape.show_metrics),
    ("/openapi.json", "GET", openapi.show_openapi),
    ("/v2", "GET", inference.show_server),
    ("/v2/health/live", "GET", inference.show_health),
    ("/v2/health/ready", "GET", inference.show_health),
    ("/v2/models/{name}", "GET", inference.show_model),
    ("/v2/models/{name}/ready", "GET", inference.show_model_ready),
    (INFER, "POST", inference.infer),
    ("/v2/models/{name}/versions/{version}", "GET", inference.show_model),
    ("/v2/models/{name}/versions/{version}/ready", "GET", inference.show_model_ready),
    ("/v2/models/{name}/versions/{version}/infer", "POST", inference.infer),
    *((path, "GET", answer) for path, answer in pages.PAGES.items()),
)
