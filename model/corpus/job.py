"""A run in the background, for a page that looks in from time to time."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from model.corpus.local_engine import LocalEngine
from model.corpus.run import Outcome, Progress, Stopped, run_corpus
from model.corpus.source import Source
from model.corpus.worker import Settings
from model.errors import InputError

logger = logging.getLogger(__name__)


class CorpusJob:
    """A run over a corpus in a thread of its own, the work in worker processes.

    Args:
        source, output, settings, report: as `run_corpus` takes them.
        workers: number of processes.

    Attributes:
        progress: the last one, None before the first.
        outcome: what came out; None while it runs, when it was stopped or failed.
        error: why it failed, in the user's words; None if it did not.
    """

    def __init__(
        self, source: Source, output: Path, settings: Settings, report: Path, workers: int = 1
    ) -> None:
        self.source, self.output, self.settings, self.report = source, output, settings, report
        self.workers = workers
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self.error: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what is done so far is kept for the next run to the same output."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, so long at most; is it there?"""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Was it asked to stop?"""
        return self._stop.is_set()

    def _run(self) -> None:
        engine = LocalEngine(self.settings, self.workers, self._stop.is_set)
        try:
            self.outcome = run_corpus(
                self.source, self.output, self.settings, engine, self.report, self._show
            )
        except Stopped:
            pass
        except InputError as error:
            self.error = str(error)
        except OSError as error:
            self.error = f"Không đọc hoặc ghi được: {error.strerror or error}."
        except Exception as error:
            logger.exception("a corpus job failed")
            self.error = f"Lỗi không ngờ tới ({type(error).__name__}); xem nhật ký chương trình."

    def _show(self, progress: Progress) -> None:
        self.progress = progress
