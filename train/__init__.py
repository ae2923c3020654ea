"""Training: from a dataset card and its table to a checked model.onnx with its report. Start reading at __main__.py.

Modules by stage: card, card_inference, table, dataset, holdout (data); candidates, preprocessing, cross_validation,
search, model_selection, summary (choice of a model); runs, mlflow_store, provenance (records); policy, rules, judged,
quality, bins, contract (facts in the file); export/, proof, proof_rows, leaves (the file); report/ (documents);
scorecard/, points_table/, rejects/. Subcommands: import_model with fitted_model, compare and drift with applicants,
repository, features/.
"""

import os

# Spinning OpenMP threads make a fit on a busy machine ten times slower. OpenMP reads this when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Importing model/ first switches onnxruntime's telemetry off before anything here imports onnxruntime.
import model as model
