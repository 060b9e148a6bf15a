"""What every command says in the same way."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.errors import InputError

errors = Console(stderr=True, highlight=False, soft_wrap=True)
WIDE = 200  # columns, where nobody looks on and nothing should be cut off
output = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)


def add_row(table: Table, *cells: str) -> None:
    """A row whose cells are text and no markup, whatever is in them."""
    table.add_row(*map(Text, cells))


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
