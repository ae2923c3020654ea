"""Relational features: Home Credit's seven tables as one row an applicant, on one machine or on a Spark cluster.

A table's module is its recipe; `command.py` is the story. Every aggregate is written once, in Ibis, and runs on DuckDB
(the default: embedded, all cores, spills what memory doesn't hold) and on Spark unchanged.

Why Ibis: tried against SQLFrame 4.10 with the same aggregates on both engines (DuckDB 2.0, Spark 4.3 local[2]).
Both give equal numbers, and the engine does the work either way, so that neither is faster. SQLFrame is PySpark's
own API and reads as such, but on DuckDB it wrote the names of the results in lower case, where Spark keeps them, and
`functions` are imported from another module for each engine. In Ibis an expression belongs to no engine, has its
types before anything runs, and takes a condition in the aggregate itself (`column.mean(where=…)`), so that all,
active and closed credits are one pass.
"""
