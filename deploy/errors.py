"""The one failure of everything in deploy/."""


class DeployError(Exception):
    """A slug, a release or a deployment went wrong; the message gives what was found, what was expected, what to do."""
