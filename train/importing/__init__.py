"""A model that was fitted elsewhere: its file, what the file holds, and the card that describes it.

Read files.py first (a file → an object), then bundle.py (an object → a fitted pipeline), rule.py, weights.py and
card.py. Used by train/import_model.py.
"""
