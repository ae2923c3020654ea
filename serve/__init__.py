"""The HTTP service: loads one ONNX model file, and answers with probabilities, decisions and reasons.

Imports only what requirements.txt lists; never train, scikit-learn, pandas, scipy, onnx or skl2onnx.
"""
