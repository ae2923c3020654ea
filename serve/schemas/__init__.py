"""Request, response and error types, and the readers that turn bodies into applicants."""
