"""The one failure that a user of `python -m train` can mend."""


class TrainingError(Exception):
    """A card, table or option can't be used; the message gives value, expectation and next step.

    `python -m train` prints it as one line and exits with code 2.
    """
