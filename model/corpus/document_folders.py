"""Rows that are documents: a folder or a zip archive of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from model.corpus import documents
from model.corpus.source import FILE, Row, Source, files_identity
from model.errors import InputError


@dataclass
class Folder(Source):
    """The documents under a folder, by name; links are not followed."""

    path: Path
    columns: list[str] = field(default_factory=lambda: [FILE])
    seekable = True
    has_documents = True

    def _paths(self) -> list[Path]:
        found = [
            path
            for path in self.path.rglob("*")
            if is_document(path.relative_to(self.path).parts) and not path.is_symlink()
        ]
        return sorted(path for path in found if path.is_file())

    def count(self) -> int:
        """Number of documents."""
        return len(self._paths())

    def identity(self) -> str:
        """Of all documents."""
        return files_identity(self._paths())

    def rows(self, start: int = 0) -> Iterator[Row]:
        """A row per document."""
        for number, path in enumerate(self._paths()[start:], start + 1):
            name = path.relative_to(self.path).as_posix()
            yield Row(number, {FILE: name}, partial(read_limited, path))


@dataclass
class Archive(Source):
    """The documents in a .zip file, read where they are: nothing is unpacked to disk."""

    path: Path
    columns: list[str] = field(default_factory=lambda: [FILE])
    seekable = True
    has_documents = True

    def __post_init__(self) -> None:
        """Raises InputError for what is no zip archive, or one without documents."""
        try:
            documents_inside = self.count()
        except zipfile.BadZipFile as error:
            raise InputError(f"'{self.path.name}' không phải tệp .zip hoặc đã bị hỏng.") from error
        if not documents_inside:
            kinds = ", ".join(documents.SUFFIXES)
            raise InputError(f"Tệp '{self.path.name}' không có tài liệu {kinds} nào.")

    def _members(self) -> list[tuple[str, int]]:
        """Name and place in the archive of every document, by name."""
        with zipfile.ZipFile(self.path) as archive:
            members = enumerate(archive.infolist())
            return sorted(
                (member.filename, index)
                for index, member in members
                if not member.is_dir() and is_document(tuple(member.filename.split("/")))
            )

    def count(self) -> int:
        """Number of documents."""
        return len(self._members())

    def rows(self, start: int = 0) -> Iterator[Row]:
        """A row per document."""
        for number, (name, index) in enumerate(self._members()[start:], start + 1):
            yield Row(number, {FILE: name}, partial(read_member, self.path, index))


def is_document(parts: tuple[str, ...]) -> bool:
    """Is it a document by its name, and nothing hidden?"""
    named = (part for part in parts if part != "..")
    hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in named)
    return not hidden and parts[-1].lower().endswith(documents.SUFFIXES)


def read_limited(path: Path) -> bytes:
    """A document's content, cut behind the limit that `read_document` refuses."""
    with path.open("rb") as file:
        return file.read(documents.MAX_BYTES + 1)


@lru_cache(maxsize=1)
def opened_archive(path: Path) -> zipfile.ZipFile:
    """The archive that documents are read from, opened once for all of them."""
    return zipfile.ZipFile(path)


def read_member(path: Path, index: int) -> bytes:
    """The content of a member of an archive, whatever size the archive claims.

    Raises InputError if it cannot be unpacked.
    """
    archive = opened_archive(path)
    try:
        with archive.open(archive.infolist()[index]) as file:
            return file.read(documents.MAX_BYTES + 1)
    except Exception as error:  # whatever a broken archive makes of its reader
        raise InputError("không giải nén được (tệp hỏng hoặc có mật khẩu).") from error
