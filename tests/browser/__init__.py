"""A package, so that a package-scoped fixture shares one browser between its modules."""
