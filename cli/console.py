"""What every command says in the same way."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from model.errors import InputError

errors = Console(stderr=True, highlight=False, soft_wrap=True)
output = Console(highlight=False, soft_wrap=True)


def fail(message: str) -> typer.Exit:
    """Tell the reason on standard error; the caller raises what comes back."""
    errors.print(f"Lỗi: {message}", style="red", markup=False)
    return typer.Exit(1)


@contextmanager
def reasons() -> Iterator[None]:
    """Input that cannot be used ends the command with the reason."""
    try:
        yield
    except InputError as error:
        raise fail(str(error)) from error


def user_name() -> str:
    """Who is at the keyboard, for the labels' history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without users
        return "không rõ"
