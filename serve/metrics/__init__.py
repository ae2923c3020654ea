"""Metrics of the service with prometheus_client, and their exposition at GET /metrics."""
