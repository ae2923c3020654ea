"""Other monitors on the same stream, in environments of their own; each is a folder with a program and its libraries.

A program is run as `run.py STREAM.npz ANSWER.json` with what benchmarks/monitor.py writes: arrays `names`, `kinds`
("number" or "category"), and of `reference`, `week` and `outcomes` the applicants as `X`, float64, shape (n, n_fields),
their `probability`, `prediction` (1 = not accepted) and `defaulted` (−1 = unknown), under names such as `week_X`;
`reference_number` and `week_number` are weeks, `outcomes_number` portions of outcomes, counted from 0. It answers for
each week which fields it finds drifted (`drift`, "probability" among them) and which AUC it expects before outcomes
(`estimated_auc`, None without such an estimate); for each portion whether the results are different (`realised`); and
the seconds of a core for the drift check of a week (`seconds`).
"""
