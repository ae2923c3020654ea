"""LitServe serving the pickled pipeline with one worker and one API server.

No `from __future__ import annotations`: LitServe needs the annotations as types, not as strings.
"""

import os
from typing import Any

import joblib
import litserve
import numpy as np
import numpy.typing as npt


class Credit(litserve.LitAPI):
    """The LitServe API."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self.pipeline = joblib.load(os.environ["MODEL"])

    def decode_request(self, request: dict[str, Any]) -> npt.NDArray[np.float64]:
        """The rows of a body."""
        return np.array(request["data"], dtype=np.float64)

    def predict(self, applicants: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probability of default of each row."""
        probability: npt.NDArray[np.float64] = self.pipeline.predict_proba(applicants)[:, 1]
        return probability

    def encode_response(self, output: npt.NDArray[np.float64]) -> list[float]:
        """The answer."""
        answer: list[float] = output.tolist()
        return answer


if __name__ == "__main__":
    server = litserve.LitServer(Credit(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), num_api_servers=1, generate_client_file=False)
