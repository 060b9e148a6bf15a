import textwrap
import unicodedata

import pytest

from model.article import MAX_CHARACTERS, Article
from model.errors import InputError
from model.page_noise import clean_lines
from model.sentences import split_sentences


def body(article):
    return [paragraph for paragraph in (article.lead, *article.paragraphs) if paragraph]


def test_title_lead_paragraphs_and_sentences(clearance):
    article = Article.from_text(clearance)
    assert article.title == "Phường Bến Thóc vận động xong hộ cuối cùng giao đất làm cầu"
    assert article.lead.startswith("Chiều 12/9, gia đình ông Lê Hữu Tạo")
    assert len(article.paragraphs) == 2
    assert article.sentences[0] == article.title
    assert article.sentences[-1].startswith("Nhà thầu được giao")


def test_nfd_crlf_and_invisible_characters_make_no_difference(clearance):
    plain = Article.from_text(clearance)
    messy = unicodedata.normalize("NFD", clearance).replace("\n", "\r\n")
    assert Article.from_text("\ufeff" + messy.replace(" ", "\u00a0", 5)) == plain


def test_the_noise_of_a_copied_page_is_left_out(clearance):
    title, _, rest = clearance.partition("\n\n")
    noise = (
        "Trang chủ Thời sự Kinh tế\nThứ bảy, 12/9/2026, 10:21 (GMT+7)\n",
        "Chia sẻ\nĐọc thêm: Giá thép tăng\nChủ đề: cầu Sông Mơ\nBình luận (3)\n"
        "Tin mới Emagazine Truyền hình Podcast\n",
    )
    caption = "Ông Lê Hữu Tạo tháo dỡ nhà. Ảnh: Hà Vi"
    text = f"{noise[0]}{title}\n{caption}\n{caption}\n(Báo Sông Mơ) - {rest}\n{noise[1]}"
    article = Article.from_text(text)
    assert article.title == title
    assert body(article) == [caption, *body(Article.from_text(clearance))]


@pytest.mark.parametrize(
    "head",
    [
        "Thời sự > Chính trị\nThứ Ba, ngày 18 tháng 11 năm 2025 10:21 GMT+7\n",
        "International\nTrang chủ / Xây dựng Đảng / Dân vận\nCơ quan của Đảng bộ tỉnh Sông Mơ\n",
        "Mới nhất\nVideo\n🔍\nHôm nay, ngày 12/9/2026\n",
        "Ông Lê Hữu Tạo nhận nhà mới - Ảnh: HÀ VI\n",
    ],
)
@pytest.mark.parametrize("between", ["", "HÀ VI\n12/09/2026 08:15 GMT+7\n"])
def test_the_title_is_found_behind_what_a_site_puts_before_it(head, between, clearance):
    title, _, rest = clearance.partition("\n\n")
    article = Article.from_text(f"{head}{title}\n{between}{rest}")
    assert article.title == title
    assert body(article)[-3:] == body(Article.from_text(clearance))


def test_the_tail_of_a_page_is_cut_but_not_what_follows_a_box_of_links(clearance):
    plain = Article.from_text(clearance)
    tail = "Tin liên quan\nXã Đồng Mít mở đường\nGiá thép lại tăng\nBình luận (2)\nHay quá\n"
    assert Article.from_text(clearance + tail) == plain
    title, _, text = clearance.partition("\n\n")
    box = "Tin liên quan\nXã Đồng Mít mở đường\n"
    assert body(plain) == body(Article.from_text(f"{title}\n{box}{text}"))[-3:]


@pytest.mark.parametrize("width", [60, 80])
def test_lines_cut_at_one_width_are_joined(width, clearance):
    title, *paragraphs = clearance.strip().split("\n\n")
    wrapped = "\n\n".join(textwrap.fill(part, width) for part in [title, *paragraphs])
    assert body(Article.from_text(wrapped)) == paragraphs


def test_a_caption_or_a_long_first_paragraph_is_no_lead(clearance):
    title, lead, *rest = clearance.strip().split("\n\n")
    for first in ("Ông Lê Hữu Tạo tháo dỡ nhà. Ảnh: Hà Vi", " ".join([lead] * 4)):
        article = Article.from_text("\n\n".join([title, first, lead, *rest]))
        assert article.title == title
        assert article.lead == ""
        assert body(article) == [first, lead, *rest]


def test_an_official_document_has_what_it_is_about_as_its_title(clearance):
    head = (
        "UBND XÃ ĐẠI ĐỒNG\nSố: 12/BC-UBND\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"
        "Độc lập - Tự do - Hạnh phúc\nĐại Đồng, ngày 12 tháng 9 năm 2026\nBÁO CÁO\n"
    )
    title = "Kết quả thu hồi đất làm cầu Sông Mơ"
    text = head + title + "\n" + clearance.partition("\n\n")[2]
    assert Article.from_text(text).title == title


def test_a_stored_title_is_never_noise():
    title = "Giấy phép xây dựng: Bao giờ hết làm khó dân"
    assert Article.from_fields(title, None, "Tin xã Đồng Mít.").title == title


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("TTO - Sáng nay", "Sáng nay"),
        ("(Dân trí) - Sáng nay", "Sáng nay"),
        ("(PLVN) Sáng nay", "Sáng nay"),
        ("Hà Nội, ngày 5/6 (TTXVN) – Sáng nay", "Sáng nay"),
        ("VOV.VN - Sáng nay", "Sáng nay"),
        ("QNO - Sáng nay", "Sáng nay"),
        ("(Ông Tạo, Chủ tịch xã) - Sáng nay", "(Ông Tạo, Chủ tịch xã) - Sáng nay"),
        ("HĐND - UBND tỉnh phối hợp", "HĐND - UBND tỉnh phối hợp"),
        ("Nộp hồ sơ Online - khỏi đến trụ sở.", "Nộp hồ sơ Online - khỏi đến trụ sở."),
        ("Báo cáo - thảo luận", "Báo cáo - thảo luận"),
        ("UNESCO - Tổ chức của Liên Hợp Quốc", "UNESCO - Tổ chức của Liên Hợp Quốc"),
        ("(UBND) Ủy ban xã", "(UBND) Ủy ban xã"),
        ("Tiền Phong - xã miền núi", "Tiền Phong - xã miền núi"),
        ("(Báo cáo số 12) - Năm nay", "(Báo cáo số 12) - Năm nay"),
    ],
)
def test_datelines(line, rest):
    assert clean_lines(line) == [rest]


@pytest.mark.parametrize(
    "sentence",
    [
        "Chủ nhật, 23/5/2021 là ngày bầu cử toàn quốc.",
        "Chủ đề: Hãy đi bầu cử.",
        "Giấy phép xây dựng: Cấp nhanh, dân vẫn chờ",
        "Email giả mạo cơ quan thuế bủa vây doanh nghiệp",
        "Thẻ BHYT: quyền lợi của người dân",
        "Chủ đề công tác năm 2025 được chọn",
        "Văn hóa, giáo dục, y tế:",
        "xã hội.",
        "Đọc thêm: sách giúp nông dân làm giàu.",
        "Tin liên quan\nĐồng Mít mở đường\nÔng Tạo nói ông sẽ dọn về khu tái định cư mới ở Gò Lim.",
        "Trả lời: Đồng ý.\nHỏi: Bao giờ?\nTrả lời: Đồng ý.",
        "Chủ đề năm nay là vận động nhân dân hiến đất làm đường.",
        "Bình luận về việc này, ông Tạo nói người dân đồng tình.",
        "Đọc báo cáo tại hội nghị, bà Mến nêu ba tồn tại.",
        "Video được ghi lúc 7 giờ sáng cho thấy đoàn cưỡng chế đến nơi.",
        "Thứ bảy, 12/9/2026, Ủy ban nhân dân phường họp dân lần thứ ba về giá đất.",
    ],
)
def test_a_real_sentence_is_never_taken_for_noise(sentence, clearance):
    text = Article.from_text(clearance + sentence).text
    assert text.endswith(sentence.removeprefix("Tin liên quan\n"))


@pytest.mark.parametrize(
    ("paragraph", "count"),
    [
        ("Ông Tạo nói. Bà Mến nghe.", 2),
        ("TP. Bến Thóc có 3.200 hộ. Số này tăng.", 2),
        ("GS. TS. Hạ Quyên ở Q. 3 đến dự.", 1),
        ("“Chúng tôi đồng ý!” Ông nói vậy.", 2),
        ("Tăng 5.5% so với 12.2023 (tr.5) nhé.", 1),
        ("Đã xong…", 1),
        ("1. Rà soát hộ dân. 2. Chi trả tiền.", 2),
        ("PGS.TS. Vi Nhàn và ThS.BS. An dự. Họ nói.", 2),
        ("Đi bằng... ăn uống thế nào", 1),
        ("Cán bộ xã đi từng nhà Theo ông Tạo, 47 hộ đã nhận tiền.", 2),
        ("Chợ mới (Ảnh: Vi An) Sau khi họp, xã giao đất. Dân mừng.", 3),
        ("Đội thiếu nhi hát bài Nếu em là mây.", 1),
        ("Ông bảo “tôi đi Sau khi ăn” rồi về.", 1),
        ("Lễ kỷ niệm Ngày 27/7 diễn ra ở xã.", 1),
        ("Anh Lò Văn Những (24 tuổi) đến dự.", 1),
        ("Xã học Quy định về Những điều đảng viên không được làm.", 1),
        ("Bộ phim của Vi An và Khi con là nhà ra mắt.", 1),
        ("Đường Lò Văn Đồng thời gian qua bị ngập.", 1),
        ("TỔ CHỨC BỘ MÁY Theo đó, huyện bớt hai phòng.", 1),
    ],
)
def test_sentences(paragraph, count):
    sentences = split_sentences(paragraph)
    assert len(sentences) == count
    assert " ".join(sentences) == paragraph


def test_a_line_that_ends_in_an_abbreviation_goes_on_in_the_next_one():
    lines = [
        "Ông Vi Tạo được bầu làm Chủ tịch UBND TP.",
        "Bến Thóc sáng nay.",
        "Dân hỏi ý kiến TP.",
        "Ông Vi Tạo hứa ở TP.",
        "Người dân chờ.",
    ]
    article = Article.from_fields("Bầu chủ tịch", None, "\n".join(lines))
    first = "Ông Vi Tạo được bầu làm Chủ tịch UBND TP. Bến Thóc sáng nay."
    assert article.paragraphs == (first, *lines[2:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Chưa có nội dung"),
        (" \n\t \u200b", "Chưa có nội dung|quá ngắn"),
        ("Bầu cử à?!", "quá ngắn"),
        ("The council voted on Monday to approve the new road through the valley.", "tiếng Việt"),
        ("Nhân dân đồng thuận. " * (MAX_CHARACTERS // 10), "quá dài"),
        ("PK\x03\x04\x00\x00\x08\x00" * 40, "nhị phân"),
        (
            "Chia sẻ\nBình luận\nĐọc thêm\nTin mới\nTrang chủ Thời sự Kinh tế Xã hội\n",
            "quá ngắn|nội",
        ),
        ("12345 67890 " * 30, "quá ngắn"),
        ("L’élection a été organisée à Orléans, où le préfet a répété la même idée.", "tiếng Việt"),
    ],
)
def test_bad_input_is_refused_with_the_reason(text, message):
    with pytest.raises(InputError, match=message):
        Article.from_text(text)


@pytest.mark.parametrize("tail", [".", "!?", "TP. Ế ", "a\u0301\u0323", "(", "chia sẻ "])
def test_a_hundred_thousand_of_anything_are_no_trap(tail, clearance):
    text = clearance + tail * (250_000 // len(tail))
    assert Article.from_text(text).sentences[0] == clearance.split("\n")[0]


def test_broken_characters_and_terminal_codes_are_taken_out(clearance):
    article = Article.from_text(clearance.replace("Sông Mơ", "Sông\x1b[31m Mơ\ud83d"))
    article.text.encode("utf-8")
    assert "\x1b" not in article.text


def test_stored_fields_may_be_missing():
    article = Article.from_fields(None, None, "Nhân dân xã Vĩnh Thuận Sơn hiến đất mở đường mới.")
    assert article.title == ""
    assert len(article.sentences) == 1
    with pytest.raises(InputError):
        Article.from_fields(None, "", None)
