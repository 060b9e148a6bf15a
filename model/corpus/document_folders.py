"""Rows that are documents: a folder or a zip archive of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
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

    def rows(self, start: int = 0, contents: bool = True) -> Iterator[Row]:
        """A row per document."""
        for number, path in enumerate(self._paths()[start:], start + 1):
            fields = {FILE: path.relative_to(self.path).as_posix()}
            try:
                yield Row(number, fields, read_limited(path) if contents else b"")
            except OSError as error:
                yield Row(number, fields, b"", f"không đọc được: {error.strerror}.")


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

    def _members(self, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        members = [m for m in archive.infolist() if not m.is_dir()]
        return sorted(
            (m for m in members if is_document(tuple(m.filename.split("/")))),
            key=lambda member: member.filename,
        )

    def count(self) -> int:
        """Number of documents."""
        with zipfile.ZipFile(self.path) as archive:
            return len(self._members(archive))

    def identity(self) -> str:
        """Of the archive."""
        return files_identity([self.path])

    def rows(self, start: int = 0, contents: bool = True) -> Iterator[Row]:
        """A row per document."""
        with zipfile.ZipFile(self.path) as archive:
            for number, member in enumerate(self._members(archive)[start:], start + 1):
                fields = {FILE: member.filename}
                if not contents:
                    yield Row(number, fields, b"")
                    continue
                try:
                    with archive.open(member) as file:  # whatever size the archive claims
                        yield Row(number, fields, file.read(documents.MAX_BYTES + 1))
                except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError):
                    reason = "không giải nén được (tệp hỏng hoặc có mật khẩu)."
                    yield Row(number, fields, b"", reason)


def is_document(parts: tuple[str, ...]) -> bool:
    """Is it a document by its name, and nothing hidden?"""
    named = (part for part in parts if part != "..")
    hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in named)
    return not hidden and parts[-1].lower().endswith(documents.SUFFIXES)


def read_limited(path: Path) -> bytes:
    """A document's content, cut behind the limit that `read_document` refuses."""
    with path.open("rb") as file:
        return file.read(documents.MAX_BYTES + 1)
