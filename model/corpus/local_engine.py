"""Rows through a few processes of this machine, each with its own models and one thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from model.corpus.source import Row, Source, chunks_of
from model.corpus.worker import Settings, Worker
from model.errors import InputError

POLL = 0.2  # seconds between two looks at whether the user wants to stop
TRIALS = 3  # rows that crash their process before the first success: it is not the rows
AHEAD = 2  # chunks that wait per worker, so that none is ever idle

Chunk = list[Row]
Results = list[dict[str, Any]]
_worker: Worker | None = None  # of this process


def start_worker(settings: Settings) -> None:
    """Load the models; end when the parent has ended, however it did."""
    import torch

    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the work in an orderly way
    parent = multiprocessing.parent_process()

    def follow_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()
    torch.set_num_threads(1)
    _worker = Worker(settings)


def work(chunk: Chunk) -> Results:
    """The results of a chunk, in a worker process."""
    assert _worker is not None
    return _worker(chunk)


class Stopped(Exception):  # noqa: N818 - it is no error
    """The user has stopped the run; the same command goes on."""


class WorkersFailedError(InputError):
    """No worker process ever came to work, which is no row's fault."""

    def __init__(self) -> None:
        super().__init__(
            "Không khởi động được tiến trình xử lý (có thể máy thiếu bộ nhớ). Hãy đóng bớt "
            "chương trình khác rồi chạy lại."
        )


class LocalEngine:
    """A pool of worker processes that gives results in the order of the rows.

    Args:
        settings: what the workers do.
        workers: number of processes; 0: no pool, this process does it with all its threads.
        should_stop: asked often; once true, `results` raises Stopped.
    """

    def __init__(
        self, settings: Settings, workers: int, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.settings, self.workers, self.should_stop = settings, workers, should_stop
        self.works = False  # has any worker ever finished anything?

    def results(self, source: Source, start: int) -> Iterator[Results]:
        """The results of the rows from number `start` on, chunk by chunk."""
        columns = self.settings.columns
        chunks = chunks_of(source, start, frozenset(columns.read) if columns else None)
        if self.workers:
            yield from self._pooled(chunks)
            return
        worker = Worker(self.settings)
        for chunk in chunks:
            if self.should_stop():
                raise Stopped
            yield worker(chunk)

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(workers, context, start_worker, (self.settings,))

    def _pooled(self, chunks: Iterator[Chunk]) -> Iterator[Results]:
        pool = self._pool(self.workers)
        waiting: deque[tuple[Chunk, Future[Results]]] = deque()
        broken: Chunk | None = None  # the chunk at whose turn the pool last broke
        try:
            while not self.should_stop():
                while len(waiting) < AHEAD * self.workers:
                    if (chunk := next(chunks, None)) is None:
                        break
                    waiting.append((chunk, submit(pool, chunk)))
                if not waiting:
                    return
                chunk, future = waiting[0]
                try:
                    results = future.result(POLL)
                except TimeoutError:
                    continue
                except BrokenProcessPool:
                    # A worker was killed, or its chunk crashes it: once may be bad luck.
                    end(pool)
                    if chunk is broken:
                        results = self._one_by_one(chunk)
                        waiting.popleft()
                        yield results
                    broken = chunk
                    pool = self._pool(self.workers)
                    waiting = deque((chunk, submit(pool, chunk)) for chunk, _ in waiting)
                    continue
                waiting.popleft()
                self.works = True
                yield results
            raise Stopped
        finally:
            end(pool)

    def _one_by_one(self, chunk: Chunk) -> Results:
        """Each row alone; one that crashes its process gets an error.

        Raises WorkersFailedError if no process ever works.
        """
        results: Results = []
        pool = self._pool(1)
        try:
            for row in chunk:
                try:
                    results += submit(pool, [row]).result()
                    self.works = True
                except BrokenProcessPool:
                    if not self.works and len(results) + 1 == min(len(chunk), TRIALS):
                        raise WorkersFailedError from None
                    reason = f"{row.place}: làm chương trình xử lý dừng đột ngột."
                    results.append({"error": reason})
                    end(pool)
                    pool = self._pool(1)
        finally:
            end(pool)
        return results


def end(pool: ProcessPoolExecutor) -> None:
    """End a pool at once, whatever its processes do."""
    # shutdown() forgets them, and there is no public way to ask for them.
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def submit(pool: ProcessPoolExecutor, chunk: Chunk) -> Future[Results]:
    """Hand a chunk to the pool; in a broken one it fails later, when its turn comes."""
    # A process that is started here must not see Ctrl-C before `start_worker` says so.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, chunk)
    except BrokenProcessPool as error:
        failed: Future[Results] = Future()
        failed.set_exception(error)
        return failed
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
