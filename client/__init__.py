"""The loan officer's page: Streamlit in front of the service, over HTTP alone.

It imports nothing of the other folders and names no field of any dataset: all it knows of a model it reads
from GET /model.
"""
