"""How far a training is: one at a time, in a file that others may look at meanwhile."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from model.errors import InputError
from model.files import write_json
from model.home import home

logger = logging.getLogger(__name__)
WRITE_EVERY = 0.5  # seconds
RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"


@dataclass(frozen=True)
class TrainingState:
    """How far a training is.

    Attributes:
        state: one of the four words above.
        mode: "quick" or "full".
        stage: what is being done, in the user's words.
        share: of the stage, from 0 to 1.
        seconds_left: of the stage, if that can be told.
        curve: points with `step`, `loss` and, where measured, `f1`.
        version: name of the candidate that came out.
        error: why there is none, in the user's words.
        pid, process_start: of the process, so that no other is taken for it.
    """

    state: str = RUNNING
    mode: str = "quick"
    stage: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    curve: list[dict[str, float]] = field(default_factory=list)
    version: str | None = None
    error: str | None = None
    pid: int = 0
    process_start: float = 0.0

    @property
    def process(self) -> psutil.Process | None:
        """The process that trains; None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.process_start) < 1
        except psutil.Error:
            return None
        return process if same else None


def training_folder(folder: Path | None = None) -> Path:
    """Where a training keeps its state, its log and its checkpoints."""
    return (folder or home()) / "training"


def read_state(folder: Path | None = None) -> TrainingState | None:
    """The state of the training that runs, or of the last one; None before the first.

    A training whose process has died is found to be stopped.
    """
    path = training_folder(folder) / "state.json"
    try:
        state = TrainingState(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if state.state == RUNNING and state.process is None:
        return replace(state, state=STOPPED)
    return state


class StateFile:
    """Tells others about a training."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        started = psutil.Process().create_time()
        self.state = TrainingState(mode=mode, pid=os.getpid(), process_start=started)
        self.started = self.written = 0.0
        self.write()

    def begin(self, stage: str) -> None:
        """A new stage of the work."""
        self.started = time.monotonic()
        self.state = replace(self.state, stage=stage, share=0.0, seconds_left=None)
        self.write()

    def advance(self, share: float) -> None:
        """So much of the stage is done."""
        left = (time.monotonic() - self.started) * (1 - share) / share if share else None
        self.state = replace(self.state, share=share, seconds_left=left)
        if time.monotonic() - self.written >= WRITE_EVERY:
            self.write()

    def restart_curve(self) -> None:
        """What follows is another curve."""
        self.state = replace(self.state, curve=[])

    def point(self, step: float, **values: float) -> None:
        """A point of the curve."""
        self.state = replace(self.state, curve=[*self.state.curve, {"step": step, **values}])

    def end(self, state: str, **changes: Any) -> None:
        """The training is over."""
        self.state = replace(self.state, state=state, **changes)
        try:
            self.write()
        except OSError:  # the disk is full, which is told already
            logger.warning("%s cannot be written", self.path)

    def write(self) -> None:
        """Write the file."""
        self.written = time.monotonic()
        write_json(self.path, asdict(self.state))


@contextmanager
def training_run(mode: str, folder: Path | None = None) -> Iterator[StateFile]:
    """The one training that may run; its end is told, whatever it is.

    Raises InputError if another one runs, or nothing can be written.
    """
    path = training_folder(folder)
    lock = FileLock(path / ".lock", timeout=0)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        if not isinstance(error, Timeout):
            raise InputError(f"Không ghi được vào '{path}': {error.strerror}.") from error
        raise InputError(
            "Đang có một lần huấn luyện khác. Hãy đợi nó xong hoặc dừng nó trước."
        ) from error
    try:
        state = StateFile(path / "state.json", mode)
        try:
            yield state
        except KeyboardInterrupt:
            state.end(STOPPED)
            raise
        except InputError as error:
            state.end(FAILED, error=str(error))
            raise
        except BaseException as error:
            state.end(FAILED, error=f"Lỗi không ngờ tới ({type(error).__name__}).")
            raise
    finally:
        lock.release()
