"""A run over a corpus in the background, at which the page looks from time to time."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from model.corpus.local_engine import LocalEngine, Stopped
from model.corpus.progress import Progress
from model.corpus.report import Report
from model.corpus.run import run_corpus
from model.corpus.source import Source
from model.corpus.worker import Settings
from model.errors import InputError
from page.messages import file_error

logger = logging.getLogger(__name__)


class CorpusJob:
    """A run in a thread of its own, the work in worker processes.

    Args:
        source, output, settings: as `run_corpus` takes them. The report goes beside the output.
        workers: number of processes.

    Attributes:
        progress: the last one, None before the first.
        found: what came out; None while it runs, when it was stopped or failed.
        error: why it failed, in the user's words; None if it did not.
    """

    def __init__(self, source: Source, output: Path, settings: Settings, workers: int) -> None:
        self.source, self.output, self.settings, self.workers = source, output, settings, workers
        self.progress: Progress | None = None
        self.found: Report | None = None
        self.error: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def report(self) -> Path:
        """The page that reports on it."""
        return self.output.parent / "index.html"

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what is done so far is kept for the next run to the same output."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, so long at most; is it there?"""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        engine = LocalEngine(self.settings, self.workers, self._stop.is_set)
        folder = self.output.parent
        try:
            self.found = run_corpus(
                self.source, self.output, self.settings, engine, folder, self._show
            )
        except Stopped:
            pass
        except InputError as error:
            self.error = str(error)
        except OSError as error:
            self.error = file_error(error)
        except Exception as error:
            logger.exception("a corpus job failed")
            self.error = f"Lỗi không ngờ tới ({type(error).__name__}); xem nhật ký chương trình."

    def _show(self, progress: Progress) -> None:
        self.progress = progress
