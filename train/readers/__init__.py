"""Readers of fitted objects: scikit-learn pipelines and the libraries of boosted trees → the terms of train/fitted.

Start with describe.py. Classes are identified by name, so that optional libraries needn't be installed. Only numpy and
what the object itself brings are imported, so that the readers also run beside the libraries of an old pickle.
"""
