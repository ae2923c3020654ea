"""The deployed service: reads one ONNX file and answers with probabilities and decisions.

Imports only what requirements.txt lists; never train, scikit-learn, pandas, scipy, onnx or skl2onnx.
"""

import os

# onnxruntime >= 1.29 sends usage events unless this is set before its import. Applicants' data must
# not leave, nor the fact of their scoring: set here because every import of ours passes through.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
