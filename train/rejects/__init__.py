"""What a model of accepted applicants leaves open about the rejected: extrapolation, bounds and sensitivity.

Only the report reads it. No model here is ever exported, and none changes the one that is.
"""
