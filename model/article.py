"""From pasted or stored text to a clean `Article`: title, lead, paragraphs, sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from model.errors import InputError
from model.page_noise import CAPTION, PROSE_END, clean_lines, find_title, unwrap
from model.sentences import split_sentences

MAX_CHARACTERS = 300_000  # a long report of 100 pages; more is a book or a mistake
MIN_CHARACTERS = 40
LONGEST_LEAD = 80  # syllables of a first paragraph that is set in bold on a page
MIN_VIETNAMESE = 0.04  # of the letters; about 15 % of them in Vietnamese
VIETNAMESE_LETTER = re.compile("[ăđơưạ-ỹ]", re.IGNORECASE)  # those that no other language has
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, as broken JSON may hold
MARK_PILE = re.compile(r"([\u0300-\u036f]{4})[\u0300-\u036f]+")  # Vietnamese needs two


def syllable_count(text: str) -> int:
    """Vietnamese is written syllable by syllable with spaces between them."""
    return len(text.split())


def normalize(text: str) -> str:
    """NFC, Unix line ends, ordinary spaces, no invisible characters."""
    text = SURROGATE.sub("\ufffd", MARK_PILE.sub(r"\1", text))
    text = unicodedata.normalize("NFC", text)
    text = re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text)
    return re.sub(r"[^\S\n]+", " ", INVISIBLE.sub("", text))


def _normalize_limited(text: str) -> str:
    """`normalize`, after refusing what is too long to be worth it."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"Văn bản quá dài (giới hạn {MAX_CHARACTERS} ký tự). "
            "Hãy tách thành từng bài viết riêng."
        )
    return normalize(text)


def _check(text: str) -> None:
    """Refuse what is no Vietnamese article, with a message that says what to do."""
    text = text.strip()
    if not text:
        raise InputError("Chưa có nội dung. Hãy dán toàn văn một bài viết tiếng Việt.")
    if len(CONTROL.findall(text)) > max(2, len(text) // 200):
        raise InputError(
            "Nội dung không phải văn bản (có vẻ là tệp nhị phân). "
            "Hãy mở tệp bằng chương trình của nó rồi chép phần chữ."
        )
    letters = sum(map(str.isalpha, text))
    if len(text) < MIN_CHARACTERS or letters < MIN_CHARACTERS // 2:
        raise InputError(
            f"Văn bản quá ngắn để phân loại (cần ít nhất {MIN_CHARACTERS} ký tự). "
            "Hãy dán cả bài viết."
        )
    if len(VIETNAMESE_LETTER.findall(text)) < MIN_VIETNAMESE * letters:
        raise InputError(
            "Văn bản không phải tiếng Việt có dấu. Chương trình chỉ phân loại bài viết tiếng Việt."
        )


def _is_lead(lines: list[str]) -> bool:
    """Is the first of the lines under a title the paragraph that stands there in bold?"""
    return (
        len(lines) > 1
        and syllable_count(lines[0]) <= LONGEST_LEAD
        and not CAPTION.search(lines[0])
        and bool(PROSE_END.search(lines[0]))
    )


@dataclass(frozen=True)
class Article:
    """A cleaned article.

    Attributes:
        title: may be empty.
        lead: the paragraph in bold under the title (sapo); may be empty.
        paragraphs: the body.
    """

    title: str
    lead: str = ""
    paragraphs: tuple[str, ...] = field(default_factory=tuple)

    @classmethod
    def from_text(cls, text: str) -> Article:
        """Parse an article pasted from a page: the title first, if it looks like one, and a short
        first paragraph under it, which is the lead.

        Raises InputError for what is no Vietnamese article.
        """
        text = _normalize_limited(text)
        _check(text)
        lines = clean_lines(unwrap(CONTROL.sub("", text)))
        _check("\n".join(lines))  # a page's menus alone are no article
        index = find_title(lines)
        if index is None:
            return cls("", "", tuple(lines))
        title = lines.pop(index)
        lead = lines.pop(0) if index == 0 and _is_lead(lines) else ""
        return cls(title, lead, tuple(lines))

    @classmethod
    def from_fields(cls, title: str | None, lead: str | None, body: str | None) -> Article:
        """Build an article from stored fields. Raises InputError as `from_text` does."""
        fields = [_normalize_limited(value or "") for value in (title, lead, body)]
        _check("\n".join(fields))
        stored_title = " ".join(CONTROL.sub("", fields[0]).split())  # never noise
        lead_lines, lines = (clean_lines(CONTROL.sub("", value)) for value in fields[1:])
        _check("\n".join([stored_title, *lead_lines, *lines]))
        return cls(stored_title, " ".join(lead_lines), tuple(lines))

    @property
    def text(self) -> str:
        """Title, lead and paragraphs, a line each."""
        return "\n".join(part for part in (self.title, self.lead, *self.paragraphs) if part)

    @cached_property
    def sentences(self) -> list[str]:
        """Every sentence of title, lead and body, in order (the title is one)."""
        return ([self.title] if self.title else []) + self.body_sentences

    @cached_property
    def body_sentences(self) -> list[str]:
        """The sentences without the title."""
        blocks = [p for p in (self.lead, *self.paragraphs) if p]
        return [sentence for block in blocks for sentence in split_sentences(block)]
