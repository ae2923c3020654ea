"""Scorecards: at most some bins a field, whole points for each bin, and a probability that follows from their sum.

Start with classifier.py, then the modules in the order in which it uses them.
"""
