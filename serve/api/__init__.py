"""The endpoints: the table of routes, and a handler for each."""
