"""Synthetic data of any size in the form of Home Credit's seven tables, with a known probability of default.

`python -m benchmarks.home_credit --applications 300000 --out DIR` writes them. Columns, keys, missing values and skew
resemble the originals, which may not be redistributed; no value is taken from them. Tests and benchmarks use them.
"""
