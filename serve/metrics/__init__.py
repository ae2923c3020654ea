"""What the service counts, kept by prometheus_client, and its exposition at GET /metrics."""
