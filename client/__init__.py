"""The user interface for loan officers: a Streamlit app that talks to the service over HTTP only.

It imports no other package of this repository and names no field of any dataset: everything it knows about a model
comes from GET /model.
"""
