"""Relational features: Home Credit's seven tables as one row per applicant, on one machine or a Spark cluster.

Start reading at command.py. Each table has a module with its recipe: bureau, previous_application, pos_cash,
installments, credit_card, and application for the main table. Aggregates are written once, in Ibis, and run unchanged
on DuckDB (the default: embedded, all cores, spills to disk) and on Spark.

Why Ibis and not SQLFrame 4.10: with DuckDB 2.0 and Spark 4.3 both gave equal numbers at equal speed, but SQLFrame
changed column names to lower case on DuckDB and needs other imports for each engine. Ibis checks types before anything
runs, and its aggregates take a condition (`column.mean(where=…)`), so that one pass gives all, active and closed
credits.
"""
