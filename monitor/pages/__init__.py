"""The live page and the report: charts, tables and texts as HTML."""
