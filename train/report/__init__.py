"""The validation report of a model: measurements, and the documents that show them.

Start with findings.py, which collects what calibration.py, costs.py, fairness.py, effects.py and stability.py measure.
verdict.py turns findings into checks; report_page.py, model_card.py and changelog.py write the documents.
"""
