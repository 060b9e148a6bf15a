"""Which kind of input a file, a folder or an address is."""

from __future__ import annotations

from pathlib import Path

from model.corpus import documents
from model.corpus.document_folders import Archive, Folder
from model.corpus.source import Source
from model.corpus.text_tables import Delimited, JsonLines
from model.corpus.workbooks import Workbook
from model.errors import InputError

SUFFIXES = (".jsonl", ".csv", ".tsv", ".xlsx", ".parquet", ".zip")


def is_address(name: str) -> bool:
    """Is it the address of an object storage, "s3://…", and no path?"""
    return "://" in name


def is_readable(name: str) -> bool:
    """Is it, by its name, something that can be read here?"""
    path = Path(name)
    return is_address(name) or path.is_dir() or path.suffix.lower() in SUFFIXES


def open_source(name: str) -> Source:
    """The source of a file, a folder or an address.

    Raises InputError if there is nothing there that can be read.
    """
    from model.corpus.arrow_tables import ArrowTables

    if is_address(name):
        return ArrowTables(parquet_addresses(name))
    path = Path(name)
    if not path.exists():
        raise InputError(f"Không có tệp '{name}'.")
    if path.is_dir():
        return open_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        return JsonLines(path)
    if suffix in (".csv", ".tsv"):
        return Delimited(path)
    if suffix == ".xlsx":
        return Workbook(path)
    if suffix == ".parquet":
        return ArrowTables([str(path)])
    if suffix == ".zip":
        return Archive(path)
    raise InputError(
        f"Không nhận tệp '{path.name}'. Các dạng nhận được: {', '.join(SUFFIXES)}, hoặc thư mục "
        f"chứa {', '.join(documents.SUFFIXES)}, .parquet hay bộ dữ liệu Hugging Face."
    )


def open_folder(path: Path) -> Source:
    """A saved dataset (all splits, by name), a folder of documents, or of Parquet files."""
    from model.corpus.arrow_tables import ArrowTables

    if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
        arrow = sorted(str(p) for p in path.glob("**/data-*.arrow") if not p.is_symlink())
        if arrow:
            return ArrowTables(arrow)
    folder = Folder(path)
    if folder.count():
        return folder
    parquet = sorted(
        str(p) for p in path.rglob("*.parquet") if not (p.is_symlink() or p.name.startswith("."))
    )
    if parquet:
        return ArrowTables(parquet)
    raise InputError(f"Thư mục '{path}' không có tài liệu nào đọc được.")


def parquet_addresses(name: str) -> list[str]:
    """The Parquet file at an address, or those under it. Raises InputError if there are none."""
    import fsspec

    if name.endswith(".parquet"):
        return [name]
    try:
        system, folder = fsspec.core.url_to_fs(name)
        found = sorted(system.glob(f"{folder.rstrip('/')}/**/*.parquet"))
    except (OSError, ImportError, ValueError) as error:
        raise InputError(f"Không đọc được '{name}': {error}.") from error
    if not found:
        raise InputError(f"Không có tệp .parquet nào ở '{name}'.")
    return [system.unstrip_protocol(path) for path in found]
