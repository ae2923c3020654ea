"""Decisions on record: every answer with its inputs, in a chain of hashes, in SQLite or PostgreSQL."""
