"""A model as it is served: the proven file and all that is made from it once, replaced as a whole by a reload."""

from __future__ import annotations

import msgspec

from model.session import Model, RowSession
from serve.home import render_home
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import ModelName, describe_model
from serve.settings import Settings


class Runtime:
    """One loaded model.

    `description`: the answer of GET /model; `home`: language → page, UTF-8; `openapi`: the document. `row_session` is
    for the event loop alone.
    """

    openapi: bytes = b""

    def __init__(self, model: Model, settings: Settings) -> None:
        contract = model.contract
        self.model = model
        self.name = ModelName(contract.name, contract.version, model.sha256)
        self.fields = contract.fields
        self.schemas = RequestSchemas(contract.fields, settings.rows)
        self.has_keys = bool(settings.api_keys)
        self.description = msgspec.json.encode(describe_model(contract, model.sha256))
        self.home = render_home(contract)
        self.row_session = RowSession(model)
