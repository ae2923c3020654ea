"""Monitoring of the model in service: everything here is a function of the decisions on record."""
