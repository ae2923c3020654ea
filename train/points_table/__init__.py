"""The points table of a scorecard as files for people and for other systems: CSV, a printed page, SQL and a workbook.

Start with files.py. All are made from the contract of a model file alone, so that they can be written again at any
time: `python -m train scorecard MODEL`. Each gives every applicant the points that the model's graph gives.
"""
