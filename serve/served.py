"""A model as it is served: the loaded file and all that is kept ready to answer from it, replaced as a whole."""

from __future__ import annotations

import msgspec

from serve.counters import Ledger
from serve.forms import Forms
from serve.messages import ModelName, describe_model
from serve.model import Model
from serve.settings import Settings
from serve.single import Single
from serve.tally import Tally


class Served:
    """Made anew by each reload; a request keeps the one it began with."""

    def __init__(self, model: Model, settings: Settings, ledger: Ledger) -> None:
        contract = model.contract
        self.model = model
        self.fields = contract.fields
        self.most_rows = settings.rows
        self.forms = Forms(contract.fields, settings.rows)
        self.single = Single(model)
        self.tally = Tally(model, ledger)
        self.name = ModelName(contract.name, contract.version, model.sha256)
        self.has_keys = bool(settings.api_keys)
        self.openapi: bytes | None = None
        self.description = msgspec.json.encode(describe_model(contract, model.sha256))
