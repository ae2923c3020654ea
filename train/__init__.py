"""Training: card → table → choose → fit → export → prove. The story is in train/__main__.py."""

import os

# Threads that spin while they wait make a fit on a shared machine ten times slower; read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Before anything here can import onnxruntime: it switches the runtime's telemetry off.
import model as model
