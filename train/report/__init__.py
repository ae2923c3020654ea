"""The evidence for a model: measured once, told on a page, in a model card, in a changelog and on the terminal.

Read on in findings.py, which gathers what calibration, costs, fairness, shapes and stability measure; page.py,
model_card.py and changelog.py tell it.
"""
