"""Take from a copied page what the newspaper's site has put around the article."""

from __future__ import annotations

import re

# Every pattern has to match the whole line: dropping a real sentence is worse than keeping a menu.
SECTION = (
    r"(?:trang\s+chủ|thời\s+sự|chính\s+trị|xã\s+hội|kinh\s+tế|kinh\s+doanh|pháp\s+luật|thế\s+giới"
    r"|quốc\s+tế|quốc\s+hội|văn\s+h(?:óa|oá)|giáo\s+dục|thể\s+thao|giải\s+trí|đời\s+sống|du\s+lịch"
    r"|khoa\s+(?:giáo|học)|công\s+nghệ|sức\s+khỏe|y\s+tế|bất\s+động\s+sản|bạn\s+đọc|góc\s+nhìn"
    r"|xây\s+dựng\s+đảng|công\s+tác\s+dân\s+vận|dân\s+vận|địa\s+phương|tin\s+tức|tin\s+mới"
    r"|mới\s+nhất|đọc\s+nhiều|xem\s+nhiều|video|podcast|emagazine|e-magazine|infographic|megastory"
    r"|longform|multimedia|truyền\s+hình|ảnh|english|international|rss|中文)"
)
MENU = re.compile(rf"(?i)[\W_]*{SECTION}(?:[\W_]+{SECTION})*[\W_]*")
DATE = re.compile(
    r"(?i)(?=.*\d{4})(?:(?:cập\s+nhật|đăng\s+(?:lúc|ngày)|hôm\s+nay|(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy"
    r"|\d)|chủ\s+nhật|t[2-7]|cn)\b|ngày|lúc|gmt|\+0?7(?::00)?|\d{1,2}[:h]\d{2}(?::\d{2})?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2}\s+tháng\s+\d{1,2},?\s+(?:năm\s+)?\d{4})"
    r"[\s,|()–:•-]*)+"
)
BUTTONS = re.compile(
    r"""(?xi) [\s»>•|-]* (?:
        (?:đọc|xem|tin)\s+(?:thêm|tiếp|ngay|cùng\s+chuyên\s+mục|liên\s+quan|mới(?:\s+nhất)?|nhiều)
            (?:\s*[:»>].{0,150})?
      | (?:bài|tin|các\s+tin)\s+(?:viết\s+)?(?:liên\s+quan|khác|nổi\s+bật)\s*:?
      | có\s+thể\s+bạn\s+quan\s+tâm\s*:?
      | (?:chủ\s+đề|từ\s+khóa|tags?|thẻ|chuyên\s+mục)\s*[::].{0,200}(?<![.!?])
      | tags? | chủ\s+đề\s+(?!.*\b(?:là|của|về)\b)[^.!?]{0,30}
      | (?:chia\s+sẻ|bình\s+luận|gửi\s+bình\s+luận|lưu\s+bài|in\s+bài|gửi\s+email|facebook|zalo
        |twitter|copy\s+link|sao\s+chép\s+liên\s+kết|theo\s+dõi|trở\s+lại|quay\s+lại|về\s+trang\s+chủ
        |đăng\s+nhập|đăng\s+ký|quảng\s+cáo|nghe\s+đọc\s+bài|print|aa?)
        (?:[\s|•/>·+-]+(?:chia\s+sẻ|bình\s+luận|facebook|zalo|twitter|lên|lên\s+facebook|in|email
        |aa?|\d+))*[\s+]*
      | (?:bình\s+luận|ý\s+kiến)\s*\(\d+\) | \d+\s+(?:bình\s+luận|ý\s+kiến)
      | https?://\S+ | \S+@\S+\.\w+ | (?:©|copyright|bản\s+quyền\s+thuộc).{0,250}
      | (?:hotline|fax|e-?mail|tòa\s+soạn|giấy\s+phép(?:\s+số)?|lượt\s+xem|cỡ\s+chữ)\b.{0,160}
            (?<![.!?])
      | [-–—*_=|•·.>\s]+
    ) \s*"""
)
LONGEST_NOISE = 300  # characters; a longer line is no button
# A page's tail begins with one of these.
TAIL = re.compile(
    r"(?i)\W*(?:tin (?:liên quan|cùng chuyên mục)|bài (?:viết )?liên quan|đọc thêm|các tin khác"
    r"|xem thêm|có thể bạn quan tâm|bình luận(?: \(\d+\))?|ý kiến \(\d+\)|tags?)\W*"
)
AGENCY = (
    r"(?:TTXVN|TTO|TNO|NDO|VOV(?:\d|\.VN)?|VTV(?:\.vn)?|PLVN|PLO|NLĐO?|CAND|ANTĐ|ĐCSVN|GDVN|QĐND|HNMO?"
    r"|SGGPO?|LĐO?|KTĐT|BVPL|TTBC|Dân (?:trí|Việt)|VietNamNet|VnExpress|Vietnam\+|VietnamPlus|Zing"
    r"|Chinhphu\.vn|Infonet|Tổ Quốc|(?:Báo )?(?:Nhân Dân|Tuổi Trẻ|Thanh Niên|Lao Động|Tiền Phong)"
    r"|[A-ZĐ][\w-]{2,15}\.(?:vn|VN))(?: Online| Điện tử| điện tử)?"
)
DATELINE = re.compile(
    rf"\s*(?:\((?:{AGENCY}|Báo [^()\n]{{2,24}}|[A-ZĐ&]{{2,8}})\)\s*[-–—]?"
    rf"|[A-ZĐ][^().!?:\n]{{1,40}}\({AGENCY}[^()\n]{{0,30}}\)\s*[-–—]"
    rf"|{AGENCY}\s*[-–—]\s|[A-ZĐ]{{2,5}}O\s*[-–—]\s)\s*(?=\S)"
)
PROSE_END = re.compile(r"[.!?…][\"”’)]*$")
CAPTION = re.compile(r"(?i)\bảnh\b\s*(?::|\d)|\s-\s\d+\.?$")
MIN_PROSE = 12  # syllables of a line that is a sentence of the article, not a heading
TITLE_SYLLABLES = range(4, 41)
HEAD_LINES = 40  # in which the title is looked for


def is_noise(line: str) -> bool:
    """Is the whole line a menu, a date, a button or the like?"""
    return len(line) <= LONGEST_NOISE and any(
        pattern.fullmatch(line) for pattern in (MENU, DATE, BUTTONS)
    )


def is_prose(line: str) -> bool:
    """Does the line look like a sentence of the article's text?"""
    return len(line.split()) >= MIN_PROSE and PROSE_END.search(line) is not None


def without_tail(lines: list[str]) -> list[str]:
    """Cut what follows the article: links to others and readers' comments.

    Boxes of links stand in the middle of articles too, so the tail is only cut where hardly any
    sentence follows.
    """
    prose = [is_prose(line) for line in lines]
    for index, line in enumerate(lines):
        if TAIL.fullmatch(line) and sum(prose[:index]) >= 3 and sum(prose[index:]) <= 2:
            return lines[:index]
    return lines


def clean_lines(text: str) -> list[str]:
    """The lines of an article without the page's menus, repeated captions and datelines."""
    lines: list[str] = []
    seen: set[str] = set()
    for raw in without_tail([line.strip() for line in text.split("\n") if line.strip()]):
        if is_noise(raw):
            continue
        line = DATELINE.sub("", raw, count=1) if DATELINE.match(raw) else raw
        # A photo's caption comes twice (alternative text and caption), a title as well; short
        # lines ("Trả lời: Đồng ý.") may well be said again.
        if line in seen and (line == lines[-1] or len(line.split()) >= MIN_PROSE):
            continue
        seen.add(line)
        lines.append(line)
    return lines


def find_title(lines: list[str]) -> int | None:
    """The index of the title among cleaned lines; None if none looks like one.

    It stands before the first sentence of the text. Where a site has left more than one line
    there, the title is the one whose words the article goes on to use.
    """
    candidates: list[int] = []
    prose = ""
    for index, line in enumerate(lines[:HEAD_LINES]):
        if is_prose(line):
            prose = " ".join(lines[index : index + 5]).lower()
            break
        heading = len(line.split()) in TITLE_SYLLABLES and not re.search(r"[.:;,]$", line)
        if heading and not CAPTION.search(line):
            candidates.append(index)
    if not prose:
        return 0 if len(lines) > 1 and candidates[:1] == [0] else None
    words = set(re.findall(r"\w+", prose))

    def share(index: int) -> float:
        own = re.findall(r"\w+", lines[index].lower())
        return sum(word in words for word in own) / max(1, len(own))

    return max(candidates, key=share, default=None)
