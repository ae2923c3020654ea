"""Getting the service to where it runs: what the platform would build, built and tried here."""
