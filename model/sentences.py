"""Cut a paragraph into sentences."""

from __future__ import annotations

import re

UPPER = "A-Z" + "".join(c for c in map(chr, range(0xC0, 0x1EFA)) if c.isupper())
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


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of one paragraph, in order; joined by spaces they give it back."""
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
