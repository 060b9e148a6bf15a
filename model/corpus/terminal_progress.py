"""Shows the progress of a run: a bar in a terminal, a line a minute in a log."""

from __future__ import annotations

import logging
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from model.corpus.progress import Progress

logger = logging.getLogger(__name__)
LOG_EVERY = 60.0  # seconds


class ProgressView:
    """A context in which `show` can be called as often as one likes."""

    def __init__(self, name: str, console: Console) -> None:
        self.name = name
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rest]}"),
        )
        self.bar = Bar(*columns, console=console) if console.is_terminal else None
        self.last_line = time.monotonic()

    def __enter__(self) -> ProgressView:
        """Show an empty bar."""
        if self.bar is not None:
            self.bar.start()
            self.task = self.bar.add_task(self.name, total=None, rest="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.stop()

    def show(self, progress: Progress) -> None:
        """Show the progress; in a log once a minute and at the end."""
        rest = progress.describe()
        if self.bar is not None:
            self.bar.update(self.task, total=progress.total, completed=progress.done, rest=rest)
            return
        now = time.monotonic()
        if now - self.last_line >= LOG_EVERY or progress.done == progress.total:
            self.last_line = now
            logger.info("%s: %d/%d, %s", self.name, progress.done, progress.total, rest)
