"""The deployed service: reads one ONNX file and answers with probabilities and decisions.

Imports only what requirements.txt lists; never train, scikit-learn, pandas, scipy, onnx or skl2onnx.
"""
