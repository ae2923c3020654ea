"""Batch scoring: every row of CSV or Parquet files, with the same model file and the same answers as the service.

Both engines, local and Spark, run `score_batches` over Arrow record batches. Imports only model/ of this project.
"""
