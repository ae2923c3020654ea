"""One applicant at a time, from and into kept buffers: the way of nearly every request.

Binding the graph's inputs and outputs once takes half the time of a `session.run`, which makes arrays anew. A seventh
more is saved by asking onnxruntime's compiled session itself, `_sess`, without the Python around it, and for no more
than what is bound. The buffers are of one `Single` and so for one thread: the event loop's. Batches go through
`Model.score`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from onnxruntime import OrtValue, RunOptions

from serve.forms import NAN
from serve.model import ASKED, Matrix, Model, Scores


class Single:
    """The kept buffers of a model: `row`, float64, shape (1, n_fields), and `scores` of one row, with contributions."""

    def __init__(self, model: Model) -> None:
        width = len(model.contract.fields)
        self.row: Matrix = np.zeros((1, width))
        self.scores = Scores(np.zeros(1), np.zeros(1, np.int64), np.zeros((1, width)))
        self._kept_row = self.row.data
        self._pack = struct.Struct(f"{width}d").pack_into
        self._run = model.session._sess.run_with_iobinding
        self._options = RunOptions()
        self._options.only_execute_path_to_fetches = True
        plain, explained = model.session.io_binding(), model.session.io_binding()
        for binding in (plain, explained):
            binding.bind_cpu_input("applicants", self.row)
            for name in ("probability", "decision"):
                kept = getattr(self.scores, name)
                binding.bind_output(name, "cpu", 0, kept.dtype.type, kept.shape, kept.ctypes.data)
        kept = self.scores.contributions
        explained.bind_ortvalue_input("explain", OrtValue.ortvalue_from_numpy(ASKED))
        explained.bind_output("contributions", "cpu", 0, np.float64, kept.shape, kept.ctypes.data)
        self._plain, self._explained = plain._iobinding, explained._iobinding

    def score(self, values: Sequence[float | None], *, explain: bool = False) -> Scores:
        """Score one applicant, one value a field, None = missing; the answer is good until the next one."""
        try:
            self._pack(self._kept_row, 0, *values)
        except struct.error:
            self._pack(self._kept_row, 0, *[NAN if value is None else value for value in values])
        self._run(self._explained if explain else self._plain, self._options)
        return self.scores
