"""Readers of fitted objects: scikit-learn pipelines and the libraries of boosted trees → the terms of train/fitted.

Start with describe.py. Classes are identified by name, so that optional libraries needn't be installed, and only
attributes of the fitted object are read, so that it may live in another process, beside older libraries
(train/importing/remote.py).
"""
