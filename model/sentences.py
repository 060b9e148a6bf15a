"""Cut a paragraph into sentences."""

from __future__ import annotations

import re

_LETTERS = [c for c in map(chr, range(0xC0, 0x1EFA)) if c.isalpha()]
LOWER = "a-z" + "".join(filter(str.islower, _LETTERS))
UPPER = "A-Z" + "".join(filter(str.isupper, _LETTERS))
# Possessive, so that a line of a hundred thousand dots takes no longer than any other.
SENTENCE_END = re.compile(rf"(?<![.!?…])[.!?…]++[\"”’»)\]]*+(?=\s+[\"“‘«(\[–-]?\s?[{UPPER}0-9])")
ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:TP|Tp|TX|Tx|TT|Q|P|QL|ĐT|TL|(?:PGS|GS|TS|ThS|Th\.?\s?S|BS)(?:\.(?:TS|BS|ThS))*"
    r"|Ts|Ths|KS|LS|CN|Tr|St|Mr|Mrs|Ms|Dr|No|vs|đ/c|Đ/c|[A-ZĐ])\.$"
)
LONGEST_ABBREVIATION = 12  # characters that have to be looked at
# The credit of a photo belongs to its caption, so that both are known for one.
CREDIT = re.compile(
    r"(?i)\W*(?:ảnh|nguồn(?:\s+ảnh)?)\b\s*(?::|minh\s+h(?:ọa|oạ)|tư\s+liệu|chụp|cắt\s+từ)"
)
THOUSANDS = re.compile(r"(?<=\d\.)\s+\d{3}\b(?!\s*[/.-]\d)")  # "1. 000", as careless text has it
LIST_NUMBER = re.compile(r"(?:\d{1,2}|[IVX]{1,5})\.")
# Words that begin a sentence and, with a capital, hardly anything else. Without a full stop in
# front of them, they tell that a heading or a caption ends there: collections of pages lose the
# line break behind it.
BEGINNING = (
    r"(?:Theo(?! dõi| dòng| chân)|Tại(?= buổi| cuộc| hội| phiên| kỳ| đây| các| một| lễ)"
    r"|Trong(?! sáng| lành)|Cũng|Phát biểu(?= tại| trong| kết| chỉ| khai| trước| với)"
    r"|Sau(?= khi| đó| hơn| gần| nhiều| một| hội)|Trước(?= đó| khi| tình| thực| những)|Ngoài ra"
    r"|Những|Đây(?= là| cũng)|Tuy(?= nhiên| vậy)|Đến(?= nay| hết| cuối| ngày| thời)|Khi|Nếu|Nhằm"
    r"|Với(?= sự| những| các| mục| tinh| phương| quyết| việc)|Để(?! đời)"
    r"|Từ(?= đó| đầu| nhiều| năm| ngày| khi| thực| những| các)|Hiện(?= nay| tại)|Do(?= đó| vậy)"
    r"|Vì(?= vậy| thế(?! hệ))|Bên cạnh|Đặc biệt,|Đồng thời(?! gian| kỳ| điểm| hạn)"
    r"|Cùng(?= với| ngày| đó)|Được biết"
    r"|Qua(?= đó| kiểm| khảo| công| thực)|Có thể|Liên quan|Tính đến|Nói về|Trao đổi(?= với| về)"
    r"|Trả lời|Chia sẻ|(?:Sáng|Chiều)(?= nay| qua| ngày)|Năm(?= \d{4},)|Ngày(?= \d{1,2}[/.-]\d))"
)
# In front of the name of a work, a programme or a day, and words that end no heading.
NAMED = (
    "báo mục trình đàm khúc hát bài phim cuốn sách series vở truyện thuyết kịch album ngắn lãm hình"
    " phẩm thơ ký thảo single tên đề thi niệm mừng ứng tế là và của như thì bị về nhân dịp Đàng"
)
NOT_NAMED = "".join(rf"(?<!\b{word} )" for word in NAMED.split())
GLUED = re.compile(rf"(?<=[{LOWER}\d)] ){NOT_NAMED}{BEGINNING}(?= (?!\(|và ))")


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of one paragraph, in order; joined by spaces they give it back.

    A heading or a caption without a full stop is one by itself.
    """
    return [part for sentence in split_at_stops(paragraph) for part in _split_glued(sentence)]


def _split_glued(sentence: str) -> list[str]:
    """The sentence, and apart from it the headings and captions that are glued to its front."""
    parts: list[str] = []
    start = last = quotes = brackets = 0
    for match in GLUED.finditer(sentence):
        piece = sentence[last : match.start()]
        last = match.start()
        quotes += sum(map(piece.count, '"“”'))
        brackets += piece.count("(") - piece.count(")")
        if quotes % 2 == 0 and brackets == 0:
            parts.append(sentence[start:last].strip())
            start = last
    return [*parts, sentence[start:]]


def split_at_stops(paragraph: str) -> list[str]:
    """The stretches of a paragraph that end in a full stop, and what is left."""
    sentences: list[str] = []
    start = 0
    for match in SENTENCE_END.finditer(paragraph):
        end = match.end()
        if match.group() == ".":
            if ABBREVIATION.search(paragraph[max(start, end - LONGEST_ABBREVIATION) : end]):
                continue
            if LIST_NUMBER.fullmatch(paragraph[start:end].strip()):
                continue
        if CREDIT.match(paragraph, end) or THOUSANDS.match(paragraph, end):
            continue
        sentences.append(paragraph[start:end].strip())
        start = end
    return [s for s in [*sentences, paragraph[start:].strip()] if s]
