"""From pasted or stored text to a clean `Article`: title, lead, paragraphs, sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from model.errors import InputError

MAX_CHARACTERS = 300_000  # a long report of 100 pages; more is a book or a mistake
MIN_CHARACTERS = 40
MAX_TITLE_SYLLABLES = 40

# Lines that a newspaper's page puts around an article and that are no part of it. Each pattern
# has to match the whole line: dropping a real sentence is worse than keeping a menu.
PAGE_NOISE = re.compile(
    r"""(?xi) \s* (?:
        (?:đọc|xem|tin)\s+(?:thêm|tiếp|ngay|cùng\s+chuyên\s+mục|liên\s+quan|mới(?:\s+nhất)?)
            (?:\s*[:»>].{0,150})?
      | (?:bài|tin)\s+(?:viết\s+)?(?:liên\s+quan|khác|nổi\s+bật)\s*:?
      | (?:chủ\s+đề|từ\s+khóa|tags?|thẻ|chuyên\s+mục)\s*[::].{0,200} | chủ\s+đề\s+[^.!?]{0,30}
      | (?:chia\s+sẻ|bình\s+luận|lưu\s+bài|in\s+bài|gửi\s+email|facebook|zalo|twitter|copy\s+link
        |sao\s+chép\s+liên\s+kết|theo\s+dõi|trở\s+lại|quay\s+lại|về\s+trang\s+chủ|trang\s+chủ
        |đăng\s+nhập|đăng\s+ký|quảng\s+cáo|video|podcast|emagazine|infographic|megastory
        |longform|multimedia|truyền\s+hình|tin\s+mới|mới\s+nhất|đọc\s+nhiều|rss|print|aa?)
        (?:[\s|•/>·-]+(?:chia\s+sẻ|bình\s+luận|facebook|zalo|twitter|video|podcast|emagazine
        |infographic|megastory|longform|multimedia|truyền\s+hình|tin\s+mới|mới\s+nhất|trang\s+chủ
        |đọc\s+nhiều|thời\s+sự|chính\s+trị|kinh\s+tế|xã\s+hội|pháp\s+luật|thể\s+thao|văn\s+hóa
        |giáo\s+dục|thế\s+giới|giải\s+trí|rss|\d+))*
      | bình\s+luận\s*\(\d+\) | \d+\s+bình\s+luận
      | (?:thứ\s+\w+|chủ\s+nhật),?\s*(?:ngày\s*)?\d{1,2}/\d{1,2}/\d{4}.{0,30}
      | \d{1,2}/\d{1,2}/\d{4}(?:\s*[-–|,]?\s*\d{1,2}:\d{2})?(?:\s*\(?gmt\s*\+\s*7\)?)?
      | https?://\S+ | ©.{0,120} | [-–—*_=|•·.>\s]+
    ) \s*"""
)
DATELINE = re.compile(
    r"^\s*(?:\([^()\d\n]{2,40}\)|(?:[A-ZĐ][\w.]*\s?){1,5}\((?:TTXVN|Báo|VOV)[^()]{0,30}\)"
    r"|(?:Báo\s)?[A-ZÀ-Ỹ][\w\s]{1,24}Online)\s*[-–—:]\s*"
)
SENTENCE_END = re.compile(r"[.!?…]+[\"”’»)\]]*(?=\s+[\"“‘«(\[–-]?\s?[A-ZÀ-ỸĐ0-9])")
ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:TP|Tp|TX|Tx|TT|Q|P|Th\s?S|ThS|TS|PGS|GS|BS|KS|LS|CN|Tr|St|Mr|Mrs|Ms|Dr|No|"
    r"vs|đ/c|Đ/c|[A-ZĐ])\.$"
)
VIETNAMESE_LETTER = re.compile(
    r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE
)
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def syllable_count(text: str) -> int:
    """Vietnamese is written syllable by syllable with spaces between them."""
    return len(text.split())


def normalize(text: str) -> str:
    """NFC, Unix line ends, ordinary spaces, no invisible characters."""
    text = unicodedata.normalize("NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    return re.sub(r"[^\S\n]+", " ", INVISIBLE.sub("", text))


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of one paragraph, in order; joined by spaces they give it back."""
    sentences, start = [], 0
    for match in SENTENCE_END.finditer(paragraph):
        candidate = paragraph[start : match.end()]
        if match.group().startswith(".") and ABBREVIATION.search(candidate):
            continue
        sentences.append(candidate.strip())
        start = match.end()
    return [s for s in [*sentences, paragraph[start:].strip()] if s]


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
    # About a quarter of the letters of Vietnamese carry a mark; other languages have next to none.
    if len(VIETNAMESE_LETTER.findall(text)) < 0.05 * letters:
        raise InputError(
            "Văn bản không phải tiếng Việt có dấu. Chương trình chỉ phân loại bài viết tiếng Việt."
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
        """Parse an article pasted from a page: the title first, if it looks like one.

        Raises InputError for what is no Vietnamese article.
        """
        text = _normalize_limited(text)
        _check(text)
        lines = _clean_lines(text)
        _check("\n".join(lines))  # a page's menus alone are no article
        title = ""
        if len(lines) > 1 and _looks_like_title(lines[0]):
            title, lines = lines[0], lines[1:]
        return cls(title, "", tuple(lines))

    @classmethod
    def from_fields(cls, title: str | None, lead: str | None, body: str | None) -> Article:
        """Build an article from stored fields. Raises InputError as `from_text` does."""
        fields = [_normalize_limited(value or "") for value in (title, lead, body)]
        _check("\n".join(fields))
        title, lead = (" ".join(_clean_lines(value)) for value in fields[:2])
        return cls(title, lead, tuple(_clean_lines(fields[2])))

    @property
    def text(self) -> str:
        """Title, lead and paragraphs, a line each."""
        return "\n".join(part for part in (self.title, self.lead, *self.paragraphs) if part)

    @cached_property
    def sentences(self) -> list[str]:
        """Every sentence of title, lead and body, in order (the title is one)."""
        blocks = [p for p in (self.lead, *self.paragraphs) if p]
        return ([self.title] if self.title else []) + [
            sentence for block in blocks for sentence in split_sentences(block)
        ]


def _looks_like_title(line: str) -> bool:
    return syllable_count(line) <= MAX_TITLE_SYLLABLES and not re.search(r"[.:;,]\s*$", line)


def _clean_lines(text: str) -> list[str]:
    """The lines of an article without the page's menus, repeated captions and datelines."""
    lines: list[str] = []
    seen: set[str] = set()
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or PAGE_NOISE.fullmatch(line):
            continue
        line = DATELINE.sub("", line)
        # A photo's caption comes twice (alternative text and caption), a title as well.
        if line and line not in seen:
            seen.add(line)
            lines.append(line)
    return lines
