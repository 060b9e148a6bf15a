"""Take from a copied page what the newspaper's site has put around the article."""

from __future__ import annotations

import re
from itertools import pairwise

from model.sentences import LONGEST_ABBREVIATION, UPPER

# Every pattern has to match the whole line: dropping a real sentence is worse than keeping a menu.
SECTION = (
    r"(?:trang\s+chủ|thời\s+sự|chính\s+trị|xã\s+hội|kinh\s+tế|kinh\s+doanh|pháp\s+luật|thế\s+giới"
    r"|quốc\s+tế|quốc\s+hội|văn\s+h(?:óa|oá)|giáo\s+dục|thể\s+thao|giải\s+trí|đời\s+sống|du\s+lịch"
    r"|khoa\s+(?:giáo|học)|công\s+nghệ|sức\s+khỏe|y\s+tế|bất\s+động\s+sản|bạn\s+đọc|góc\s+nhìn"
    r"|xây\s+dựng\s+đảng|công\s+tác\s+dân\s+vận|dân\s+vận|địa\s+phương|tin\s+tức|tin\s+mới"
    r"|mới\s+nhất|đọc\s+nhiều|xem\s+nhiều|video|podcast|emagazine|e-magazine|infographic|megastory"
    r"|longform|multimedia|truyền\s+hình|ảnh|english|international|rss|中文)"
)
MENU = re.compile(
    rf"(?i)[\s»>›|/•]*{SECTION}(?:[\W_]+{SECTION})*[\s»>›|/•]*"
    r"|\W*trang\s+chủ\s*[/»>›|].{0,120}(?<![.!?])"
)
DATE = re.compile(
    r"(?i)(?=.*\d{4})(?:(?:cập\s+nhật|đăng\s+(?:lúc|ngày)|hôm\s+nay|(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy"
    r"|\d)|chủ\s+nhật|t[2-7]|cn)\b|ngày|lúc|gmt|\+0?7(?::00)?|\d{1,2}[:h]\d{2}(?::\d{2})?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2}\s+tháng\s+\d{1,2},?\s+(?:năm\s+)?\d{4})"
    r"[\s,|()–:•-]*)+"
)
BUTTONS = re.compile(
    r"""(?xi) [\s»>•|-]* (?:
        (?:đọc|xem|tin)\s+(?:thêm|tiếp|ngay|cùng\s+chuyên\s+mục|liên\s+quan|mới(?:\s+nhất)?|nhiều)
            (?:\s*[:»>].{0,150}(?<![.!?]))?
      | (?:bài|tin|các\s+tin)\s+(?:viết\s+)?(?:liên\s+quan|khác|nổi\s+bật)\s*:?
      | có\s+thể\s+bạn\s+quan\s+tâm\s*:?
      | (?:từ\s+kh(?:óa|oá)|tags?)\s*[:：].{0,200}(?<![.!?]) | tags?
      | chủ\s+đề\s*[:：]\s*[^:“"]{1,40}(?<![.!?])
      | (?:chia\s+sẻ|bình\s+luận|gửi\s+bình\s+luận|lưu\s+bài|in\s+bài|gửi\s+email|facebook|zalo
        |twitter|copy\s+link|sao\s+chép\s+liên\s+kết|theo\s+dõi|trở\s+lại|quay\s+lại|về\s+trang\s+chủ
        |đăng\s+nhập|đăng\s+ký|quảng\s+cáo|nghe\s+đọc\s+bài|print|aa?)
        (?:[\s|•/>·+-]+(?:chia\s+sẻ|bình\s+luận|facebook|zalo|twitter|lên|lên\s+facebook|in|email
        |aa?|\d+))*[\s+]*
      | (?:bình\s+luận|ý\s+kiến)\s*\(\d+\) | \d+\s+(?:bình\s+luận|ý\s+kiến)
      | https?://\S+ | \S+@\S+\.\w+ | (?:©|copyright).{0,250}
      | bản\s+quyền\s+thuộc\s+(?:về\s+)?(?:báo|tạp\s+chí|cổng|ubnd|công\s+ty)\b.{0,200}
      | (?:fax|e-?mail)\s*[:：].{0,160} | (?:lượt\s+xem|cỡ\s+chữ)\s*[:：].{0,60}
      | t(?:òa|oà)\s+soạn\s*[:：].{0,160}
      | giấy\s+phép(?:\s+\w+){0,6}\s+số\s*:?\s*\d+\S*/GP-BTTTT.{0,120}
      | [-–—*_=|•·.>\s]+
    ) \s*"""
)
LONGEST_NOISE = 300  # characters; a longer line is no button
# A page's tail begins with one of these.
TAIL = re.compile(
    r"(?i)\W*(?:tin (?:liên quan|cùng chuyên mục)|bài (?:viết )?liên quan|đọc thêm|các tin khác"
    r"|xem thêm|có thể bạn quan tâm|bình luận(?: \(\d+\))?|ý kiến \(\d+\)|tags?)\W*"
)
COMMENTS = re.compile(r"(?i)\W*(?:bình luận|ý kiến)")
FOOTER = re.compile(r"(?i)©|bản quyền|giấy phép|sao chép|ghi rõ nguồn|tổng biên tập|tòa soạn")
AGENCY = (
    r"(?:TTXVN|TTO|TNO|NDO|VOV(?:\d|\.VN)?|VTV(?:\.vn)?|PLVN|PLO|NLĐO?|CAND|ANTĐ|ĐCSVN|GDVN|QĐND|HNMO?"
    r"|SGGPO?|LĐO?|KTĐT|BVPL|TTBC|Dân (?:trí|Việt)|VietNamNet|VnExpress|Vietnam\+|VietnamPlus|Zing"
    r"|Chinhphu\.vn|Infonet|Tổ Quốc|(?:Báo )?(?:Nhân Dân|Tuổi Trẻ|Thanh Niên|Lao Động|Tiền Phong)"
    r"|[A-ZĐ][\w-]{2,15}\.(?:vn|VN))(?: Online| Điện tử| điện tử)?"
)
# Bodies and ordinary words that stand where a paper's name may.
BODY = (
    r"(?:UBND|HĐND|MTTQ|UBMTTQ|BHXH|BHYT|TAND|VKSND|LĐ\s*[-–—]\s*TB"
    r"|UNESCO|WHO|WTO|ISO|CEO|NATO|FAO|ILO|NGO)"
)
WORDS = r"(?:Dân (?:trí|Việt)|Tổ Quốc|Nhân Dân|Tuổi Trẻ|Thanh Niên|Lao Động|Tiền Phong)\s*[-–—]"
DATELINE = re.compile(
    rf"\s*(?!{BODY}\b)"
    rf"(?:\((?:{AGENCY}|Báo (?!cáo)[^()\n]{{2,24}}|(?!{BODY}\b)[A-ZĐ&]{{2,8}})\)\s*[-–—]?"
    rf"|(?!(?:Ông|Bà|Nhà báo|Phóng viên|Luật sư)\b)[A-ZĐ][^().!?:\n]{{1,40}}"
    rf"\({AGENCY}[^()\n]{{0,30}}\)\s*[-–—]"
    rf"|(?!{WORDS}){AGENCY}\s*[-–—]\s|[A-ZĐ]{{2,5}}O\s*[-–—]\s)\s*(?=[“\"‘'(«\d{UPPER}])"
)
PROSE_END = re.compile(r"[.!?…][\"”’)»\]]*$")
CREDIT = r"(?:ảnh|nguồn(?:\s+ảnh)?)\b\s*(?::|minh\s+h(?:ọa|oạ)|tư\s+liệu|chụp|cắt\s+từ)"
CAPTION = re.compile(
    rf"(?i)(?<!hình )\b{CREDIT}|(?<!hình )\bảnh\b\s*\d{{1,2}}\s*[:.]?$|(?<!\d)\s-\s\d{{1,2}}$"
)
# Collections that put a sentence on a line take the full stop of "TP. Cần Thơ" for its end.
BROKEN = re.compile(r"(?:^|[\s(])(?:TP|Tp|TX|(?:PGS\.)?TS|GS|ThS)\.$")
# What goes on behind "TP." at the end of a line: a name.
NAME_START = re.compile(
    rf"(?!(?:Ông|Bà|Anh|Chị|Cô|Em|UBND|HĐND|Công ty)\b)(?:[{UPPER}]\w* [{UPPER}]|HCM|Huế|Vinh)"
)
# A byline, a numbered heading, or the head of an official document.
NO_TITLE = re.compile(
    r"[•|·–-]\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.{0,9}\d{1,2}[:h]\d{2}"
    r"|^(?:\d+\.\s|[IVX]+\.\s|UBND|HĐND|ỦY BAN|CỘNG H(?:ÒA|OÀ) XÃ HỘI|Độc lập\s*-\s*Tự do"
    r"|Số\s*:|Kính gửi|.{2,30}, ngày \d+ tháng \d+ năm)"
)
# The line that follows one of these is what an official document is about.
DOCUMENT = re.compile(
    r"BÁO CÁO|KẾ HOẠCH|THÔNG BÁO|QUYẾT ĐỊNH|TỜ TRÌNH|NGHỊ QUYẾT|CHỈ THỊ|HƯỚNG DẪN"
)
PARAGRAPH_END = re.compile(r"[.!?…:;][\"”’)]*$")
LONGEST_WRAPPED = 120  # characters; longer lines are whole paragraphs
BULLETS = ("-", "–", "+", "*", "•")
MIN_PROSE = 12  # syllables of a line that is a sentence of the article, not a heading
TITLE_SYLLABLES = range(4, 41)
HEAD_LINES = 40  # in which the title is looked for


def is_noise(line: str) -> bool:
    """Is the whole line a menu, a date, a button or the like?"""
    if len(line) > LONGEST_NOISE:
        return False
    # "Văn hóa, xã hội:" is a heading, "xã hội." the last line of a paragraph.
    is_menu = not line.endswith((".", ":")) and MENU.fullmatch(line)
    return bool(is_menu or DATE.fullmatch(line) or BUTTONS.fullmatch(line))


def is_prose(line: str) -> bool:
    """Does the line look like a sentence of the article's text?"""
    return len(line.split()) >= MIN_PROSE and PROSE_END.search(line) is not None


def without_tail(lines: list[str]) -> list[str]:
    """Cut what follows the article: links to others and readers' comments.

    Boxes of links stand in the middle of articles too, so the tail is only cut where no sentence
    of the article can follow.
    """
    prose = [
        (is_prose(line) or (len(line.split()) >= MIN_PROSE and line.endswith((";", ":"))))
        and not FOOTER.search(line)
        for line in lines
    ]
    before, total = 0, sum(prose)
    for index, line in enumerate(lines):
        allowed = 2 if COMMENTS.match(line) else 0  # a reader may write a sentence, too
        if before >= 3 and total - before <= allowed and TAIL.fullmatch(line):
            return lines[:index]
        before += prose[index]
    return lines


def unwrap(text: str) -> str:
    """Join the lines of paragraphs that a mail or a terminal has cut at one width.

    Such a line is cut only where the next word would not have fitted.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    width = max(map(len, lines))
    full = sum(len(line) > 0.8 * width and not PARAGRAPH_END.search(line) for line in lines)
    if width > LONGEST_WRAPPED or full < max(3, 0.2 * sum(map(bool, lines))):
        return text
    joined = lines[:1]
    for last, line in pairwise(lines):
        word = line.split(" ", 1)[0]
        if last and word and word not in BULLETS and len(last) + 1 + len(word) > width:
            joined[-1] += " " + line.lstrip()
        else:
            joined.append(line)
    return "\n".join(joined)


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
        if lines and NAME_START.match(line) and BROKEN.search(lines[-1][-LONGEST_ABBREVIATION:]):
            lines[-1] += f" {line}"
        else:
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
        if index and DOCUMENT.fullmatch(lines[index - 1]) and len(line.split()) in TITLE_SYLLABLES:
            return index
        heading = len(line.split()) in TITLE_SYLLABLES and not re.search(r"[.:;,]$", line)
        if heading and not CAPTION.search(line) and not NO_TITLE.search(line):
            candidates.append(index)
    if not prose:
        return 0 if len(lines) > 1 and candidates[:1] == [0] else None
    words = set(re.findall(r"\w+", prose))

    def share(index: int) -> float:
        own = re.findall(r"\w+", lines[index].lower())
        return sum(word in words for word in own) / (len(own) + 4)

    return max(candidates, key=share, default=None)
