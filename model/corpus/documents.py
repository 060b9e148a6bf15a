"""The text of a document: .txt, .html, .docx, .pdf. Nothing in it is run or fetched."""

from __future__ import annotations

import io
import json
import logging
import signal
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import FrameType

from model.article import MAX_CHARACTERS, Article
from model.corpus.encoding import decode
from model.errors import InputError

SUFFIXES = (".txt", ".html", ".htm", ".docx", ".pdf")
MAX_BYTES = 30 << 20  # of one document
MAX_UNPACKED = 200 << 20  # of a .docx, which is a zip archive
MAX_PDF_PAGES = 300
MAX_SECONDS = 60.0


class DeadlineError(BaseException):
    """Not an Exception, which the libraries might catch."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises InputError in what takes longer; only in a process's main thread, as workers are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise DeadlineError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again, should somebody swallow it
    try:
        yield
    except DeadlineError:
        raise InputError(f"đọc tài liệu quá {seconds:.0f} giây.") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read_document(name: str, data: bytes) -> Article:
    """The article in a document, by the ending of its name.

    Raises InputError with what is wrong with it.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"tài liệu lớn hơn {MAX_BYTES >> 20} MB.")
    suffix = PurePath(name).suffix.lower()
    if suffix == ".txt":
        return Article.from_text(decode(data))
    reader = {".docx": read_docx, ".pdf": read_pdf}.get(suffix, read_html)
    try:
        with deadline(MAX_SECONDS):
            return reader(data)
    except InputError:
        raise
    except Exception as error:  # whatever a broken document makes of its reader
        logging.getLogger(__name__).debug("%s", name, exc_info=True)
        raise InputError(f"không đọc được tài liệu ({type(error).__name__}).") from error


def read_html(data: bytes) -> Article:
    """The main text of a web page, without its menus."""
    import trafilatura

    found = trafilatura.extract(
        decode(data), output_format="json", include_comments=False, with_metadata=True
    )
    page = json.loads(found) if found else {}
    if not page.get("text"):
        raise InputError("không tìm thấy nội dung chính trong trang HTML.")
    return Article.from_fields(page.get("title"), None, page["text"])


def read_docx(data: bytes) -> Article:
    """Paragraphs and table rows, in their order."""
    import docx
    from docx.table import Table, _Cell

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
            raise InputError("tài liệu .docx giải nén ra quá lớn.")
    lines: list[str] = []
    for block in docx.Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            # Not `row.cells`, which repeats a merged cell for every column it spans.
            for row in block.rows:
                lines.append(" ".join(_Cell(tc, block).text for tc in row._tr.tc_lst))
        else:
            lines.append(block.text)
    return Article.from_text("\n".join(lines))


def read_pdf(data: bytes) -> Article:
    """The text layer; a scan has none."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise InputError("tài liệu PDF có mật khẩu.")
    if len(reader.pages) > MAX_PDF_PAGES:
        raise InputError(f"tài liệu PDF dài hơn {MAX_PDF_PAGES} trang.")
    pages: list[str] = []
    for page in reader.pages:
        pages.append(page.extract_text())
        if sum(map(len, pages)) > MAX_CHARACTERS:
            break  # refused as too long below
    if not any(page.strip() for page in pages):
        raise InputError(
            "tài liệu PDF không có lớp chữ (có vẻ là bản chụp); hãy chạy nhận dạng chữ (OCR) trước."
        )
    return Article.from_text("\n".join(pages))
