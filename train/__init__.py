"""Training: card → table → choose → fit → export → prove. The story is in train/__main__.py."""

# Before anything here can import onnxruntime: it switches the runtime's telemetry off.
import serve as serve
