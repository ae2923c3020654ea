"""Models of other libraries on the same folds, in environments of their own; each is a folder with a program and pins.

A program is run as `run.py TABLE.npz ANSWER.npz`. The table has `names` and `kinds` ("number" or "category") of the
fields, the applicants `X`, float64, shape (n, n_fields), in which a category is the index of its level and NaN is
missing, their outcomes `y` (1 is default), and `folds`, which of the folds measures each row. It answers with the
`probability` of default of each row by the model that was fitted on the other folds, and the CPU seconds of all fits.
"""
