"""The exception that everything in deploy/ raises."""


class DeployError(Exception):
    """A build, a release or a deployment failed; the message gives the value found, the one expected, the next step."""
