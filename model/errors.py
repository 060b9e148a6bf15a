"""Errors that a user can cause, with the message that the user reads."""


class InputError(ValueError):
    """The input cannot be analysed; the message (Vietnamese) says why and what to do."""
