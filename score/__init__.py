"""Whole portfolios: every row of CSV or Parquet files through the same model file that the service answers with.

One function, `score_batches`, over Arrow record batches; a local engine and a Spark engine around it. Imports
of serve/ only what knows the model: its contract and its graph; never train, the web server or pandas.
"""
