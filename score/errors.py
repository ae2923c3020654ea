"""The exception of batch scoring."""


class ScoringError(Exception):
    """A portfolio can't be scored; the message gives the value, what was expected and the next step."""
