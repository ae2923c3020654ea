"""Home Credit's seven tables at any size, made up: the same columns, keys that join, gaps, skew, a known truth.

`python -m benchmarks.home_credit --applications 300000 --out DIR` writes them; tests and measurements use them
where the real tables aren't at hand, since these may not be passed on. Nothing in them is anybody's.
"""
