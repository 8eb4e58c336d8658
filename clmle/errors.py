"""Errors that are sentences for the person who caused them."""


class InputError(ValueError):
    """Something that a person gave cannot be used.

    The message is one sentence that says what is wrong, where, and what to do.
    The command line prints it and exits with code 2; the app shows it in place.
    """
