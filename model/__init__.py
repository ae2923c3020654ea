"""The model file: contract, checksum, ONNX session, policy, reasons and results. All other packages build on this one.

Imports only numpy, msgspec and onnxruntime; never another package of this project.
"""

import os

# onnxruntime >= 1.29 sends telemetry unless this is set before its import. It is set here because every import of
# onnxruntime in this project comes after an import of this package: applicants' data must not leave the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
