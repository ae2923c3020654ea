"""Runtime: a loaded model and all that is derived from it once; a reload replaces the whole object."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from model.session import Model, RowSession
from serve.home import render_home
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import ModelIdentity, describe_model
from serve.settings import Settings

if TYPE_CHECKING:
    from decisions.store import ModelFile


class Runtime:
    """One loaded model.

    `file`: the model file, where decisions are recorded. `model_json`, `openapi_json`: the responses of GET /model and
    GET /openapi.json; `home`: language → page; all UTF-8. `row_session` must be used on the event loop only.
    """

    def __init__(
        self,
        model: Model,
        settings: Settings,
        describe_api: Callable[[Runtime], Any],
        file: ModelFile | None = None,
    ) -> None:
        contract = model.contract
        self.model = model
        self.file = file
        self.identity = ModelIdentity(contract.name, contract.version, model.sha256)
        self.fields = contract.fields
        self.schemas = RequestSchemas(
            contract.fields, settings.max_rows, contract.id, ignores_unknown=settings.unknown_fields == "ignore"
        )
        self.has_keys = bool(settings.api_keys)
        self.model_json = msgspec.json.encode(describe_model(contract, model.sha256))
        self.home = render_home(contract, is_recorded=file is not None)
        self.row_session = RowSession(model)
        self.openapi_json = msgspec.json.encode(describe_api(self))
