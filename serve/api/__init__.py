"""The endpoints: one table of routes, and a handler from Request to Response for each."""
