"""What a request costs, beside other ways to serve the same models: `make bench`, `make bench-quick`."""
