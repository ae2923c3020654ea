"""`make bench`: throughput, latency and memory of this service and of other ways to serve the same models."""
