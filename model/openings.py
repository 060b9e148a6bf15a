"""Make a sentence that was taken out of an article read well alone, changing no fact.

Only bullets and words that point back to a sentence which is not there are taken off the front
("Theo đó,", "Cũng tại hội nghị,"). What carries a meaning stays: "Sau đó," says when, "Được biết,"
that it is hearsay. A sentence that still hangs on the one before is only recognised.
"""

from __future__ import annotations

import re

from model.sentences import UPPER

# No two spaces in a row in a pattern: on a line of blanks that would take for ever.
CONNECTIVE = (
    r"(?:theo đó|cũng theo đó|do (?:đó|vậy)|(?:chính )?(?:vì|bởi) (?:vậy|thế|lẽ đó)"
    r"|tuy (?:nhiên|vậy|thế)|(?:mặc )?dù (?:vậy|thế)|thế nhưng|nhưng|song|ngoài ra|bên cạnh đó"
    r"|cạnh đó|song song (?:với )?đó|cùng với đó|kèm theo đó|thêm vào đó|hơn nữa|hơn thế|chưa hết"
    r"|mặt khác|(?:trái|ngược) lại|ở chiều ngược lại|trong khi đó|cụ thể(?: là)?|nhờ (?:đó|vậy)"
    r"|trên cơ sở đó|trên tinh thần đó|như vậy|nói cách khác|chẳng hạn(?: như)?|ví dụ(?: như)?"
    r"|(?:điều )?đáng (?:chú ý|lưu ý|nói|mừng|tiếc)(?: là| hơn)?|đặc biệt|tương tự"
    r"|không (?:những|chỉ) (?:vậy|thế)|(?:cũng )?(?:nhân )?dịp này"
    r"|(?:liên quan (?:đến|tới)|về|xung quanh) (?:vấn đề|vụ việc|sự việc|nội dung|việc)"
    r" (?:này|trên)"
    r"|cũng (?:tại|trong) (?:hội nghị|cuộc họp|phiên họp|kỳ họp|chương trình|dịp)(?: này)?"
    r"|cũng tại buổi(?: [^\W\d_]{1,8}){1,5})"
)
OPENING = re.compile(rf"(?i)^{CONNECTIVE} ?[,:;] ?(?=\S)")
BULLET = re.compile(r"^(?:[-–—*•●▪+_] |\d{1,2}[.)] |[a-zđ]\) )(?=[“\"]?[^\W\d_])")
MOST_OPENINGS = 3
CONTRAST = re.compile(
    r"(?:Tuy (?:nhiên|vậy|thế)|(?:Mặc )?[Dd]ù (?:vậy|thế)|Thế nhưng)\b"
    rf"|(?:Nhưng|Song),? (?![{UPPER}])"  # "Song Mã" is a district
)

PERSON = r"(?:[Ôô]ng|[Bb]à|[Aa]nh|[Cc]hị|[Cc]ô|[Vv]ị|[Ee]m)"
SAYS = (
    r"(?:cũng|cho|nói|khẳng định|nhấn mạnh|chia sẻ|đề nghị|kể|đã|là|sẽ|bị|được|còn|đang|nêu|yêu cầu"
    r"|lưu ý|bày tỏ|đánh giá|phát biểu|thông tin|mong|hy vọng|nhận định|phân tích|chỉ (?:rõ|ra)"
    r"|giải thích|thừa nhận|này|ấy|đó)"
)
# "Người này", "Nghị quyết nói trên", but not "Ngày này năm xưa".
THIS = (
    rf"(?!(?:Ngày|Năm|Tháng|Tuần|Sáng|Chiều|Tối|Đêm|Hôm|Thời) )[{UPPER}]\w*"
    rf"(?: (?!(?:nào|mới|sau|từ|do|theo|và|là|có|cho|trước|hồi)\b)[^\W\d_{UPPER}]+){{0,3}}?"
    r" (?:này|đó|ấy|nói trên)\b"
)
DANGLING = re.compile(
    rf"^\W*(?:{THIS}|{PERSON} {SAYS}\b|Theo (?:ông|bà|anh|chị|cô|vị)(?: (?:này|ấy))? ?,"
    rf"|Họ (?![{UPPER}])|(?:Đây|Đó|Nó) |Còn (?!\d)"
    rf"|(?:Và|Rồi|Nhưng|Song|Đồng thời|Qua đó),? (?![{UPPER}])"
    r"|(?:Thế|Vậy) (?:nhưng|nên|mà|là|thì)\b|Thấy vậy\b"
    r"|(?:Ngay )?(?:[Tt]rước|[Ss]au|[Tt]iếp|[Tt]rong|[Kk]hi|[Ll]úc|[Tt]ừ|[Nn]hờ|[Tt]heo|[Dd]o"
    r"|[Bb]ởi|[Vv]ì) (?:đó|vậy|thế)\b|(?:Trong|Số) (?:số )?(?:này|đó)\b|Lúc này|Thời điểm này"
    r"|Tại đây|Từ đây|(?:(?:Sáng|Trưa|Chiều|Tối|Đêm) )?[Cc]ùng (?:ngày|lúc)\b|Một lúc sau"
    r"|Bởi lẽ|Tuy (?:nhiên|vậy)"
    r"|Hai bên\b|Cả hai\b|Cùng (?:một|chung|quan điểm)|Cũng (?:theo|về|trong|tại)|Còn theo"
    r"|Tương tự|Phát biểu sau đó|Đơn cử|Nên |Bởi |Kết quả cho thấy|Nghĩa là|Lâu dần|Vậy là|Tức là"
    r"|Tôi |Chúng (?:tôi|ta) |Hãy |Đừng |Trước (?:mắt|hết)\b|Thứ (?:nhất|hai|ba)|(?:Một|Hai) là\b"
    r"|Nhất là "
    r"|(?:Trước đó, )?[Nn]hư .{0,40}\bđã (?:thông tin|đưa|phản ánh)|Hôm qua\b|Theo tìm hiểu của"
    r"|(?:[^\s]+ ){1,8}cũng (?:cho|giao|yêu cầu|chỉ ra|khẳng định|thông tin|nhận xét|đề nghị|nói"
    r"|chia sẻ|giải thích|có)\b"
    r"|Kết quả,|(?:Những|Các|\d{1,9}) (?:[^\W\d_]+ ){1,4}?(?:này|nói trên|ấy|đó)\b|Đặc biệt\b"
    r"|(?:Những|Các|\d{1,9}) (?:[^\W\d_]+ ){1,4}?trên (?:đã|được|sẽ|bị|là|của|cho|không)\b"
    r"|(?:Buổi|Cuộc) (?:tiếp xúc|làm việc|họp|gặp) (?:được|diễn ra|có)\b)"
)
POINTS_BACK = re.compile(
    r"\b(?:nêu|kể) trên\b(?! (?:nghị trường|diễn đàn|báo|mạng|sóng|truyền hình|trang|cổng|các))"
)
# "ông Phúc": whoever that is was named in full somewhere else.
HALF_NAMED = re.compile(rf"\b(?:[Ôô]ng|[Bb]à) [{UPPER}]\w*(?! [{UPPER}])(?![-\w])")

# Who was there, and what every meeting does: true, and never the news.
CEREMONY = re.compile(
    r"(?:(?:Cùng )?[Tt]ham dự|(?:Tới|Đến|Về|Cùng) dự"
    r"|Dự (?=buổi|hội|lễ|ngày|đại|phiên|kỳ|cuộc|chương|Hội|Lễ|Ngày|Đại))\b"
    r"[^,]{0,80}(?:, (?:về )?phía [^,]{1,40})?(?:,| |\b) ?(?:còn )?(?:có|gồm)\b"
    r"|Trước khi (?:Quốc hội )?(?:biểu quyết|thông qua|bấm nút)\b(?!,)"
)

QUOTED = re.compile(r"[“\"][^“”\"]*[”\"]")
# Outside quotation marks: somebody's words whose marks stand in other sentences.
FIRST_PERSON = re.compile(r"\b[Tt]ôi\b")


def stand_alone(sentence: str) -> str:
    """The sentence without a bullet or openings that point back."""
    sentence = without_bullet(sentence)
    for _ in range(MOST_OPENINGS):
        rest = OPENING.sub("", sentence, count=1)
        if rest == sentence:
            break
        sentence = rest[:1].upper() + rest[1:]
    return sentence


def without_bullet(sentence: str) -> str:
    """The sentence without the sign of a list in front."""
    return BULLET.sub("", sentence, count=1)


def is_contrast(sentence: str) -> bool:
    """Does the sentence take back what the one before it says?"""
    return CONTRAST.match(sentence) is not None


def is_dangling(sentence: str) -> bool:
    """Does the sentence hang on another one: by its first words, a name half given, an "I", or
    what is "nêu trên"?"""
    sentence = stand_alone(sentence)
    return (
        DANGLING.match(sentence) is not None
        or POINTS_BACK.search(sentence) is not None
        or HALF_NAMED.search(sentence) is not None
        or FIRST_PERSON.search(QUOTED.sub("", sentence)) is not None
    )


def is_ceremony(sentence: str) -> bool:
    """Does the sentence tell who attended, or of a formality?"""
    return CEREMONY.match(stand_alone(sentence)) is not None
