"""The one failure of this stage that a caller sees."""


class ScoringError(Exception):
    """A portfolio can't be scored as asked; the message gives the value, what was expected and the next step."""
