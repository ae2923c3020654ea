"""What a model file is and says: contract, checksum, session, policy, reasons, changes. Everything else stands on it.

Imports only numpy, msgspec and onnxruntime; never another folder of this project.
"""

import os

# onnxruntime >= 1.29 sends usage events unless this is set before its import. Applicants' data must
# not leave, nor the fact of their scoring: set here because every import of onnxruntime passes through.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
