"""The theme classifiers on this machine: the shipped one, and those trained here.

A version is a folder under `models/`, a checkpoint with a `version.json` beside the weights.
`current.json` lists the versions that were promoted, the current one last.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from model.classifier import DEFAULT_CHECKPOINT, read_themes
from model.errors import InputError
from model.files import write_json
from model.home import home

logger = logging.getLogger(__name__)
SHIPPED = "goc"  # name of the version that comes with the program
LATEST = "latest"  # stands for the version that was trained last
RECORD = "version.json"


@dataclass(frozen=True)
class Version:
    """A classifier.

    Attributes:
        name: of its folder. checkpoint: the folder.
        record: how it was made and measured, as `training.retrain.candidate` writes it; empty
            for the shipped one.
    """

    name: str
    checkpoint: Path
    record: dict[str, Any]

    @property
    def themes(self) -> dict[str, str]:
        """Its themes by key, with their names on screen."""
        return {key: s["label"] for key, s in read_themes(self.checkpoint).items()}


class ModelRegistry:
    """Which versions there are, and which one is used."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or home()) / "models"
        self.current_file = self.folder / "current.json"

    def versions(self) -> list[Version]:
        """All of them, the shipped one first, then by age."""
        names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        found = [version for name in names if (version := self._read(name)) is not None]
        found.sort(key=lambda v: (v.record["created"], v.name))
        return [Version(SHIPPED, DEFAULT_CHECKPOINT, {}), *found]

    def _read(self, name: Any) -> Version | None:
        """The version of that name; None if there is none, or nothing that can be read."""
        if name == SHIPPED:
            return Version(SHIPPED, DEFAULT_CHECKPOINT, {})
        # A name with a dot in front is being made or removed; none is ever a path.
        if not isinstance(name, str) or name.startswith(".") or Path(name).name != name:
            return None
        try:
            record = json.loads((self.folder / name / RECORD).read_text("utf-8"))
            record["created"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Version(name, self.folder / name, record)

    def find(self, name: str) -> Version:
        """The version of that name, or the latest one. Raises InputError if there is none."""
        versions = self.versions()
        if name == LATEST:
            if len(versions) == 1:
                raise InputError("Chưa có mô hình nào được huấn luyện trên máy này.")
            return versions[-1]
        for version in versions:  # a name is only ever compared, never joined to a path
            if version.name == name:
                return version
        names = ", ".join(v.name for v in versions)
        raise InputError(f"Không có mô hình '{name}'. Các mô hình: {names}.")

    def history(self) -> list[str]:
        """Names of the versions in use so far, the current one last."""
        try:
            names = json.loads(self.current_file.read_text("utf-8"))["history"]
        except FileNotFoundError:
            return [SHIPPED]
        except (OSError, ValueError, KeyError, TypeError):
            logger.warning("%s cannot be read; the shipped model is used", self.current_file)
            return [SHIPPED]
        history: list[str] = []
        for name in names if isinstance(names, list) else []:
            if self._read(name) is not None and history[-1:] != [name]:
                history.append(name)
        return history or [SHIPPED]

    def current(self) -> Version:
        """The version in use."""
        return self._read(self.history()[-1]) or Version(SHIPPED, DEFAULT_CHECKPOINT, {})

    def promote(self, name: str) -> Version:
        """Use that version from now on; a running page takes it up with the next article.

        Raises InputError if there is no such version.
        """
        version = self.find(name)
        with self._changing():
            history = self.history()
            if history[-1] != version.name:
                write_json(self.current_file, {"history": [*history, version.name]})
        return version

    def rollback(self) -> Version:
        """Use again what was used before. Raises InputError if there was nothing."""
        with self._changing():
            history = self.history()
            if len(history) == 1:
                raise InputError("Không có mô hình nào trước mô hình đang dùng để quay lại.")
            write_json(self.current_file, {"history": history[:-1]})
        return self.current()

    def remove(self, name: str) -> None:
        """Delete a version. Raises InputError if it is in use or was not trained here."""
        version = self.find(name)
        if version.name == SHIPPED:
            raise InputError("Mô hình đi kèm chương trình không xóa được.")
        with self._changing():
            history = self.history()
            if history[-1] == version.name:
                raise InputError(
                    f"Mô hình '{version.name}' đang được dùng. Hãy quay lại mô hình khác trước."
                )
            gone = version.checkpoint.with_name(f".removed-{version.name}")
            shutil.rmtree(gone, ignore_errors=True)  # of a removal that was killed
            version.checkpoint.rename(gone)
            # The history leaves out what is no longer there.
            write_json(self.current_file, {"history": self.history()})
            shutil.rmtree(gone)

    def add(self, checkpoint: Path, name: str) -> Version:
        """Take in a finished checkpoint, a folder on the same disk, as a candidate.

        Raises InputError if the name is taken.
        """
        target = self.folder / name
        if target.exists():
            raise InputError(f"Đã có mô hình tên '{name}'.")
        checkpoint.rename(target)
        return self.find(name)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Only one process changes anything at a time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=30):
                yield
        except OSError as error:
            raise InputError(
                f"Không ghi được vào '{self.folder}': {error.strerror or error}."
            ) from error


def current_checkpoint() -> Path:
    """Folder of the classifier in use."""
    return ModelRegistry().current().checkpoint
