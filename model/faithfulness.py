"""Does a summary say only what its article says? Numbers, dates and names are looked up.

The check is strict: a true summary that puts a number in other words is refused as well, and the
article's own sentences are shown instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from model.sentences import UPPER, split_sentences

UNIT = r"(?:nghìn|ngàn|triệu|tỷ|tỉ|%|phần trăm|lần|độ|ha|km|m2|m²|m3|m³|tấn|kg)"
DATE = re.compile(
    r"(?i)\b(?P<d>\d{1,2})(?:[/.-](?P<m>\d{1,2})(?:[/.-](?P<y>\d{4}))?(?![\d%])"
    r"|\s+tháng\s+(?P<m2>\d{1,2})(?:(?:,|\s+năm|,\s*năm)?\s+(?P<y2>\d{4}))?)"
)
# Not the digits of "m2" or "Covid-19", which are part of a word.
NUMBER = re.compile(rf"(?i)(?<![\w.,/-])[−-]?\d+(?:[.,/:]\d+)*(?:\s?{UNIT}(?!\w))?")
DIGIT_WORD = r"(?:một|hai|ba|bốn|tư|năm|sáu|bảy|tám|chín|mười|mươi|mốt|lăm|linh|lẻ|rưỡi|nửa)"
SCALE_WORD = r"(?:mười|mươi|trăm|nghìn|ngàn|vạn|triệu|tỷ|tỉ)"
NUMBER_WORDS = re.compile(rf"(?i)\b{DIGIT_WORD}(?: (?:{DIGIT_WORD}|{SCALE_WORD}))*\b")
COUNTED = re.compile(
    r"(?i) (?:hộ|người|xã|phường|huyện|tỉnh|thôn|bản|dự án|vụ|năm|ngày|tháng|tỷ|tỉ|phần)\b"
)
WORD = re.compile(r"[^\W_]+(?:[-/&][^\W_]+)*")
IS_NAME = re.compile(rf"[{UPPER}]")
# Words that begin a sentence before a name, or stand before a person's; alone they are no name.
BEFORE_NAME = re.compile(
    "Tại|Ở|Theo|Ông|Bà|Anh|Chị|Cô|Em|Trong|Do|Với|Và|Từ|Của|Về|Cho|Sáng|Trưa|Chiều|Tối|Đêm|Ngày|Hôm"
    "|Năm|Tháng|Khi|Nếu|Để|Sau|Trước|Bệnh|Dịch|Tỉnh|Huyện|Xã|Phường|Thành|Có|Hơn|Gần|Khoảng|Các"
    "|Những|Nhiều|Một|Hai|Ba|Đã|Đang|Sẽ|Không|Người|Đến|Qua|Mới|Vụ|Việc"
)
# A body's name goes on in small letters: "Bộ Tài nguyên và Môi trường".
BODY = re.compile("Bộ|Sở|Ban|Cục|Tổng|Viện|Hội|T(?:òa|oà)|Ủy|Uỷ|Chi|Phó|Phòng|Công|Trung|Trường")
OFFICES = (
    "chủ tịch",
    "giám đốc",
    "thủ tướng",
    "bí thư",
    "hiệu trưởng",
    "trưởng ban",
    "viện trưởng",
)
TONES = {"oà": "òa", "oá": "óa", "oả": "ỏa", "oã": "õa", "oạ": "ọa", "oè": "òe", "oé": "óe",
         "oẻ": "ỏe", "oẽ": "õe", "oẹ": "ọe", "uỳ": "ùy", "uý": "úy", "uỷ": "ủy", "uỹ": "ũy",
         "uỵ": "ụy"}  # fmt: skip
OLD_TONE = re.compile("(?<![qQ])(?:" + "|".join(TONES) + r")(?!\w)")


def same_spelling(text: str) -> str:
    """One spelling of "hoà" and "hòa", one kind of space."""
    return OLD_TONE.sub(lambda match: TONES[match.group()], " ".join(text.split()))


def numbers(text: str) -> set[str]:
    """Dates, numbers in figures with their unit, and numbers in words, as comparable strings."""
    found: set[str] = set()

    def note_date(match: re.Match[str]) -> str:
        day, month = match["d"], match["m"] or match["m2"]
        year = match["y"] or match["y2"]
        found.add(f"{int(day)}/{int(month)}")
        if year:
            found.add(f"{int(day)}/{int(month)}/{year}")
        return " ; "

    text = DATE.sub(note_date, same_spelling(text).lower())
    for match in NUMBER.finditer(text):
        number = match.group().replace(" ", "").replace("tỉ", "tỷ").replace("ngàn", "nghìn")
        found.add(number)
    for match in NUMBER_WORDS.finditer(text):
        words = match.group()
        if " " in words or COUNTED.match(text, match.end()):
            found.add(words.replace("tỉ", "tỷ").replace("ngàn", "nghìn"))
    return found


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of capitalised words (people, places, bodies), and whether each begins a sentence.

    A body's name is given with the small-lettered words that follow it, two at most.
    """
    for line in text.split("\n"):
        for sentence in split_sentences(line):
            matches = list(WORD.finditer(sentence))
            words = [match.group() for match in matches]
            glued = [sentence[a.end() : b.start()] == " " for a, b in pairwise(matches)]
            place = 0
            while place < len(words):
                end = place
                while end < len(words) and IS_NAME.match(words[end]):
                    end += 1
                    if end < len(words) and not glued[end - 1]:
                        break
                if end == place:
                    place += 1
                    continue
                run, rest = words[place:end], end
                if any(map(BODY.fullmatch, run)):
                    while rest < min(end + 2, len(words)) and glued[rest - 1]:
                        rest += 1
                yield " ".join(run + words[end:rest]), place == 0
                place = end


def unsupported(summary: str, article: str) -> list[str]:
    """Numbers, dates and names of the summary that do not stand in the article, sorted."""
    # Line by line: a heading that ends in "một" does not count the "Ba" of the next line.
    known = set().union(*map(numbers, article.split("\n")))
    missing = {number for number in numbers(summary) if number not in known}
    plain = f" {' '.join(WORD.findall(same_spelling(article)))} "
    folded = plain.lower()
    for name, begins in names(same_spelling(summary)):
        if f" {name} " in plain:
            continue
        first, _, rest = name.partition(" ")
        is_opening = BEFORE_NAME.fullmatch(first) is not None
        in_small_letters = begins and f" {name.lower()} " in folded
        if rest and f" {rest} " in plain and (is_opening or in_small_letters):
            continue
        if not rest and begins and (is_opening or in_small_letters):
            continue
        missing.add(name)
    return sorted(missing | promotions(same_spelling(summary).lower(), folded))


def promotions(summary: str, article: str) -> set[str]:
    """Offices that the summary names in full and the article only with "phó" (deputy)."""
    return {
        office
        for office in OFFICES
        if summary.count(office) > summary.count(f"phó {office}")
        and article.count(office) == article.count(f"phó {office}")
    }
