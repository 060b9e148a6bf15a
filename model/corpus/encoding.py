"""The encoding and the delimiter of a text file, found out from the file itself."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from model.article import VIETNAMESE_LETTER, normalize
from model.errors import InputError

BLOCK = 1 << 20
SAMPLE = 64 << 10
DELIMITERS = (",", ";", "\t", "|")
MAX_BROKEN = 0.1  # of the letters outside ASCII: a UTF-8 file with a few broken ones is still one


def find_encoding(path: Path) -> str:
    """The encoding of a text file: UTF-8 (with or without mark), UTF-16 or Windows-1258.

    The whole file is read, since its first accent may stand at its end. Raises InputError for
    what is no text.
    """
    with path.open("rb") as file:
        start = file.read(SAMPLE)
        if (name := encoding_by_mark(start)) is not None:
            return name
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        broken = letters = 0
        file.seek(0)
        while block := file.read(BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                found = sum("\udc80" <= c <= "\udcff" for c in text)
                if found and not broken:
                    start = block  # here are the letters that tell
                broken += found
                letters += sum(c > "\x7f" for c in text)
        text = decoder.decode(b"", final=True)
        broken, letters = broken + len(text), letters + len(text)
    return encoding_without_mark(start, broken, letters)


def decode(data: bytes) -> str:
    """The text of a small file in any of these encodings. Raises InputError if it is no text."""
    name = encoding_by_mark(data[:SAMPLE])
    if name is None:
        text = data.decode("utf-8", "surrogateescape")
        broken = sum("\udc80" <= c <= "\udcff" for c in text)
        name = encoding_without_mark(data[:SAMPLE], broken, sum(c > "\x7f" for c in text))
    return data.decode(name, "replace")


def encoding_by_mark(start: bytes) -> str | None:
    """What the byte order mark says, or the zeros of UTF-16 without one."""
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) > len(start) // 8 and min(even, odd) < max(even, odd) // 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def encoding_without_mark(start: bytes, broken: int, letters: int) -> str:
    """UTF-8, unless too much of it is broken; then Windows-1258, if that reads as Vietnamese.

    Args:
        start: bytes of the file, those that are no UTF-8 among them.
        broken: bytes that are no UTF-8. letters: characters outside ASCII, broken ones included.
    """
    if sum(b < 9 or 13 < b < 32 for b in start) > len(start) // 100:
        raise InputError("Tệp không phải văn bản (có vẻ là tệp nhị phân).")
    if broken <= MAX_BROKEN * letters:
        return "utf-8"
    text = normalize(start.decode("cp1258", "replace"))
    marks = sum(c > "\x7f" for c in text)
    if text.count("\ufffd") > MAX_BROKEN * marks or not VIETNAMESE_LETTER.search(text):
        raise InputError(
            "Không nhận ra bảng mã của tệp. Hãy lưu lại tệp ở dạng UTF-8 (trong Excel: CSV UTF-8)."
        )
    return "cp1258"


def find_delimiter(header: str, default: str = ",") -> str:
    """The delimiter that the first line of a table uses most."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", header)
    counts = {mark: bare.count(mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark])
    return best if counts[best] else default
