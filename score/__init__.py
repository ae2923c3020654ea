"""Whole portfolios: every row of CSV or Parquet files through the same model file that the service answers with.

One function, `score_batches`, over Arrow record batches; a local engine and a Spark engine around it. Imports
only model/ of this project; never train, the web server or pandas.
"""
