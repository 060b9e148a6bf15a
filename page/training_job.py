"""A training in a process of its own: it survives the page that has started it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from model.errors import InputError
from training.retrain.state import RUNNING, read_state, training_folder

START_SECONDS = 90.0  # to import what training needs


def start_training(mode: str) -> None:
    """Begin, as `chude train` does. Raises InputError if a training runs already."""
    state = read_state()
    if state is not None and state.state == RUNNING:
        raise InputError("Đang có một lần huấn luyện khác. Hãy đợi nó xong hoặc dừng nó trước.")
    folder = training_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state.json").unlink(missing_ok=True)  # of the training before
        # Those who paste an article meanwhile come first.
        polite = ["nice", "-n", "10"] if shutil.which("nice") else []
        command = [*polite, sys.executable, "-m", "cli.main", "train", f"--{mode}"]
        with (folder / "train.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise InputError(f"Không bắt đầu được việc huấn luyện: {error.strerror}.") from error
    end = time.monotonic() + START_SECONDS
    while read_state() is None and process.poll() is None and time.monotonic() < end:
        time.sleep(0.2)
    if read_state() is None:
        raise InputError(f"Không bắt đầu được việc huấn luyện; xem '{folder / 'train.log'}'.")


def stop_training() -> None:
    """End the training that runs; a full one goes on from its last checkpoint the next time."""
    state = read_state()
    process = state.process if state is not None and state.state == RUNNING else None
    if process is not None:
        with suppress(psutil.Error):  # it has just ended, or is another user's
            process.terminate()
