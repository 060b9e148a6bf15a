"""Summaries: which sentences, how they read, what they may say; and the training scripts."""

import json
import time

import pandas as pd
import pytest
import torch
import typer
from safetensors.torch import load_file
from transformers import (
    AutoModelForTokenClassification,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForTokenClassification,
    BertModel,
    T5Config,
    T5ForConditionalGeneration,
)

from model.analysis import analyze
from model.article import Article, syllable_count
from model.errors import InputError
from model.faithfulness import unsupported
from model.openings import is_ceremony, is_dangling, stand_alone
from model.sentence_windows import WINDOW, sentence_windows
from model.sentences import split_sentences
from model.summarizer import (
    DEFAULT_CHECKPOINT,
    LENGTHS,
    Length,
    Summarizer,
    choose,
    fit_sentences,
    said_whole,
    sentence_means,
    shortened,
    summary_of,
)
from model.written_summarizer import WrittenSummarizer
from tests.conftest import ROOT
from training import train_sentence_scorer, train_summarizer
from training.evaluate_choices import agreement, shown_by
from training.evaluate_summaries import text_rank
from training.rouge import name_rouge, rouge_rows
from training.sentence_features import features
from training.summary_choices import (
    ALSO,
    BAD,
    BEST,
    CHOICES,
    NEITHER,
    SECOND_READING,
    chosen_ids,
    numbers,
    read_choices,
)
from training.summary_data import greedy_oracle, read_articles, reference_worth, sentence_worth
from training.train_sentence_scorer import (
    IGNORED,
    SentenceCollator,
    copied_tokens,
    mix_in,
    to_row,
)

SAMPLES = sorted((ROOT / "samples").glob("*.txt"))
TWO = Length(40, 2)
LONG = (
    "Ban Quản lý dự án cho biết việc giao đất cho nhà thầu đã xong ở chín trong mười phường, "
    "phần còn lại sẽ xong trước ngày 30 tháng 9."
)


@pytest.fixture(scope="module")
def summarizer():
    return Summarizer()


def long_article(paragraphs: int) -> Article:
    texts = [path.read_text("utf-8").split("\n", 1) for path in SAMPLES]
    lines = [line for _, body in texts for line in body.split("\n") if line.strip()]
    many = [
        f"{line} Đoạn thứ {n} của bài." for n in range(paragraphs) for line in lines[n % 9 :][:1]
    ]
    return Article("Báo cáo dài của tỉnh", "", tuple(many))


def test_every_sentence_is_scored_once_and_no_window_is_too_long(summarizer):
    tokenizer = summarizer.scorer.tokenizer
    article = long_article(60)
    windows = sentence_windows(tokenizer, article.title, article.body_sentences)
    assert len(windows) > 2
    assert max(len(w.input_ids) for w in windows) <= WINDOW
    assert all(len(w.input_ids) == len(w.sentence) for w in windows)
    owners = [number for w in windows for number in dict.fromkeys(w.sentence) if number >= 0]
    assert owners == list(range(len(article.body_sentences)))
    first, second = sentence_windows(tokenizer, "", article.body_sentences[:30])
    assert len(first.input_ids) < 1.5 * len(second.input_ids)


def test_a_sentence_is_the_mean_of_its_tokens():
    logits = torch.tensor([[9.0, 1.0, 3.0, 5.0], [2.0, 9.0, 9.0, 9.0]])
    sentence = torch.tensor([[-1, 0, 0, 1], [2, -1, -1, -1]])
    assert sentence_means(logits, sentence, 3).tolist() == [2.0, 5.0, 2.0]


def test_scores_are_the_same_alone_and_in_a_batch(summarizer):
    articles = [Article.from_text(path.read_text("utf-8")) for path in SAMPLES]
    inputs = [(a.title, a.body_sentences) for a in [*articles, long_article(40)]]
    together = summarizer.scorer.scores(inputs)
    assert [len(row) for row in together] == [len(sentences) for _, sentences in inputs]
    for row, one in zip(together, inputs, strict=True):
        assert torch.allclose(
            torch.tensor(row), torch.tensor(summarizer.scorer.scores([one])[0]), atol=1e-3
        )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_summary_is_short_and_every_sentence_stands_in_the_article(summarizer, path, length):
    article = Article.from_text(path.read_text("utf-8"))
    [summary] = summarizer.summarize([article], length)
    assert 1 <= len(summary.sentences) <= LENGTHS[length].sentences
    assert syllable_count(summary.text) <= 2.2 * LENGTHS[length].budget
    assert summary.mode == "extractive"
    indices = [sentence.source_index for sentence in summary.sentences]
    assert indices == sorted(set(indices))
    for sentence in summary.sentences:
        source = article.sentences[sentence.source_index]
        assert sentence.text[1:] in source
        assert source != article.title
    assert unsupported(summary.text, article.text) == []


def test_the_sentence_that_tells_the_news_is_found(summarizer, clearance):
    [summary] = summarizer.summarize([Article.from_text(clearance)], "short")
    assert "bàn giao 180 m² đất" in summary.text or "47 hộ" in summary.text


def test_sizes_of_articles_from_nothing_to_300_paragraphs(summarizer):
    def texts(*bodies: Article) -> list[str]:
        return [summary.text for summary in summarizer.summarize(bodies)]

    two = Article("", "", ("Xã Hòa Lâm giao đất cho dự án. Người dân nhận đủ tiền trong tháng.",))
    assert texts(two)[0].startswith("Xã Hòa Lâm giao đất cho dự án.")
    endless = Article("", "", ("Xã Hòa Lâm giao đất cho dự án, " * 60 + "đúng hạn.",))
    assert texts(endless)[0].endswith(" …")
    assert syllable_count(texts(endless)[0]) < 100
    assert 20 < syllable_count(texts(long_article(300))[0]) < 120
    table = Article("Bảng giá đất", "", tuple(f"{n} Thửa {n} 120 m2 3.000.000" for n in range(40)))
    names = Article("Danh sách", "", tuple(f"{n}. Nguyễn Văn Tám, Tổ {n}" for n in range(40)))
    assert texts(table, names) == ["", ""]
    assert texts(Article("Chỉ có tiêu đề mà thôi")) == [""]
    assert texts() == []


def test_what_is_no_summary_sentence():
    names = "Chủ tịch UBND tỉnh Quảng Lâm Nguyễn Văn An tiếp Đại sứ Nhật Bản Ito Naoki sáng 12/9."
    term = "Hội nghị bàn về kế hoạch đầu tư công trung hạn giai đoạn 2021 - 2025."
    paragraphs = [
        "Toàn cảnh khu tái định cư của dự án cầu mới. Ảnh: Lê Hữu",
        "Đại biểu bấm nút khởi công dự án cầu Bến Thóc. (Ảnh minh họa)",
        "Chủ tịch Hội Nông dân tỉnh, Trưởng ban Chỉ đạo dự án cầu Bến Thóc Lê Hữu Tạo.",
        "Bí thư Thành ủy Nguyễn Văn An trả lời ý kiến cử tri phường Bến Thóc.",
        '" Chúng tôi đã bàn kỹ và thấy việc này phải làm ngay.',
        "000), nhất là việc lập quy hoạch chi tiết của phường.",
        "Vì sao người dân chưa chịu nhận tiền đền bù?",
        "Danh sách hộ",
        LONG,
        "Kết quả bước đầu của việc giao đất ở các phường",
        names,
        term,
        "Bộ Tài chính miễn thuế cho hộ nghèo trong ba năm tới.",
        "Thủ đô mở thêm hai tuyến xe buýt tới khu dân cư mới.",
    ]
    sentences = [s for paragraph in paragraphs for s in split_sentences(paragraph)]
    assert [sentences[i] for i in fit_sentences(sentences)] == [LONG, *paragraphs[-4:]]
    assert fit_sentences([LONG], title=LONG.rstrip(".")) == []
    bare = [LONG.rstrip("."), "Danh sách hộ", "Ảnh: Lê Hữu chụp ở xã Hòa Lâm hôm qua"]
    assert fit_sentences(bare) == [0]


def test_a_poor_sentence_is_not_chosen_for_its_length():
    poor = "Trời hôm ấy mưa nhẹ lúc xế chiều."
    best = " ".join(["Sáng nay một xã"] * 10) + "."
    others = [f"Câu thứ {n} nói điều {n} của xã " + "thêm lời " * 10 + f"{n}." for n in range(9)]
    scores = [5.0, -9.0, *(4.0 - n for n in range(9))]
    assert 1 not in choose([best, poor, *others], scores)


def test_one_sentence_is_of_a_fit_length():
    scrap = "Xã đã giao đất cho dân."
    assert choose([scrap, LONG], [1.0, 0.9], LENGTHS["short"]) == [1]
    assert choose([scrap], [1.0], LENGTHS["short"]) == [0]


def test_what_hangs_on_the_best_sentence_may_stand_behind_it():
    sentences = [
        "Sáng 12/5, xã An Khê vừa thu hồi hai hecta đất ruộng để làm bến xe mới của huyện Hòa Lạc.",
        "Việc này được chín phần mười số hộ có ruộng đồng ý ngay từ buổi họp thôn đầu tiên ở xã.",
        "Trường tiểu học của thôn Bến Thóc thay toàn bộ cửa sổ và mái ngói trước năm học mới.",
    ]
    assert choose(sentences, [2.0, 1.5, 1.2], TWO) == [0, 1]
    assert choose(sentences, [1.0, 1.5, 1.6], TWO) == [0, 2]


def test_a_second_sentence_adds_what_the_title_promises():
    sentences = [
        "Hội đồng nhân dân huyện Hòa Lạc đã khai mạc kỳ họp thứ năm sáng nay ở hội trường huyện.",
        "Các đại biểu sẽ dành hai ngày để nghe báo cáo của các phòng và trả lời cử tri ở xã.",
        "Chợ An Khê sẽ được dời về cạnh bến xe trước mùa mưa, theo tờ trình mà xã đã gửi lên.",
    ]
    assert choose(sentences, [2.0, 1.3, 1.0], TWO) == [0, 1]
    title = "Huyện bàn việc dời chợ An Khê"
    assert choose(sentences, [2.0, 1.3, 1.0], TWO, title) == [0, 2]


def test_a_caption_is_no_summary():
    sentences = [
        "Các đại biểu bỏ phiếu bầu chức danh chủ chốt của huyện Hòa Lạc trong phiên họp.",
        "Ông Vi Tạo đã được bầu làm Chủ tịch Ủy ban nhân dân huyện với 28 trên 30 phiếu.",
    ]
    assert choose(sentences, [1.5, 1.0], LENGTHS["short"]) == [1]


def test_who_attended_is_no_news():
    sentences = [
        "Sáng 12/5, xã An Khê vừa thu hồi hai hecta đất ruộng để làm bến xe mới của huyện Hòa Lạc.",
        "Tham dự buổi lễ có ông Vi Tạo, Chủ tịch huyện, và đại diện của các hộ dân có ruộng.",
        "Trường tiểu học của thôn Bến Thóc thay toàn bộ cửa sổ và mái ngói trước năm học mới.",
    ]
    assert choose(sentences, [2.0, 1.9, 1.0], TWO) == [0, 2]


def test_nothing_is_said_twice_and_the_order_is_kept():
    again = LONG.replace("cho biết", "khẳng định")
    other = "Ba mươi hộ ở phường cuối cùng đã bốc thăm lô đất mới vào sáng thứ hai vừa rồi."
    assert choose([other, LONG, again], [0.1, 0.9, 0.8]) == [0, 1]


def test_a_lead_goes_before_a_sentence_that_is_scored_a_little_better(summarizer):
    text = (ROOT / "samples" / "3-khong-chu-de.txt").read_text("utf-8")
    title, body = text.split("\n", 1)
    without_lead = Article.from_fields(title, None, body)
    pasted = Article.from_text(text)
    assert without_lead.sentences == pasted.sentences
    found = summarizer.summarize([without_lead, pasted], "short")
    first, second = (summary.sentences[0].source_index for summary in found)
    assert first > 1
    assert second == 1


@pytest.mark.parametrize("between", [" ", "\n"])
def test_a_lead_that_is_taken_back_is_not_cut_before_it_is(between, summarizer):
    lead = [
        "Sau hai năm thí điểm, bến xe mới của huyện Hòa Lạc giúp người dân đi lại thuận tiện hơn.",
        "Tuy nhiên, tiền thuê bến do huyện thu không được nộp vào ngân sách.",
    ]
    body = "Thanh tra tỉnh công bố kết luận về bến xe này vào sáng 12/5 tại trụ sở huyện."
    text = f"Bến xe Hòa Lạc sau hai năm\n{between.join(lead)}\n{body}\n"
    [summary] = summarizer.summarize([Article.from_text(text)])
    assert [s.text for s in summary.sentences] == lead
    assert [s.source_index for s in summary.sentences] == [1, 2]


CUT = "Trước câu hỏi của các hộ dân, nhà thầu xin lùi ngày khởi công sang..."
ATTENDED = "Tham dự cuộc họp có ông Vi Tạo, Chủ tịch huyện, và đại diện nhà thầu."
BODY = (
    "Ông Vi Tạo, Chủ tịch Ủy ban nhân dân huyện Hòa Lạc, cho biết tiền đền bù đã về kho bạc huyện. "
    "Chợ cũ của xã An Khê sẽ được dời về cạnh bến xe trước mùa mưa năm nay."
)


def test_a_long_lead_is_the_summary(summarizer):
    lead = [
        "Ngày 12/5, huyện Hòa Lạc họp với 47 hộ dân về bến xe mới của huyện ở xã An Khê.",
        "Trong khi đó, nhà thầu xin lùi ngày khởi công sang tháng sau để chờ mặt bằng sạch.",
    ]
    article = Article.from_fields("Họp dân về bến xe", " ".join(lead), BODY)
    [summary] = summarizer.summarize([article])
    assert [sentence.text for sentence in summary.sentences] == lead
    [short] = summarizer.summarize([article], "short")
    assert len(short.sentences) == 1


def test_a_short_lead_has_another_sentence_beside_it(summarizer):
    lead = [
        "Huyện Hòa Lạc họp với 47 hộ dân về bến xe mới.",
        "Hai bên chưa đồng ý về giá đất ruộng.",
    ]
    article = Article.from_fields("Chuyện ở An Khê", " ".join(lead), BODY)
    [summary] = summarizer.summarize([article])
    assert [sentence.text for sentence in summary.sentences[:2]] == lead
    assert len(summary.sentences) == 3


@pytest.mark.parametrize(
    ("lead", "scores", "shown"),
    [
        # what is cut off, and who attended, is not shown with the rest
        (["Ngày 12/5, huyện họp với 47 hộ dân ở An Khê.", CUT], [3, 2, -1, 0], [0, 2, 3]),
        (["Ngày 12/5, huyện họp với 47 hộ dân ở An Khê.", ATTENDED], [3, 2, -1, 0], [0, 2, 3]),
        # what the lead says is not said again
        (["Mỗi hộ nhận 200 triệu đồng tiền đền bù đất."], [3, 2, 0], [0, 2]),
    ],
)
def test_what_is_shown_with_a_lead(lead, scores, shown):
    body = [
        "Chủ tịch huyện nói mỗi hộ nhận 200 triệu đồng tiền đền bù đất trước tháng 9 năm nay.",
        "Chợ cũ của xã An Khê sẽ được dời về cạnh bến xe trước mùa mưa năm nay, theo kế hoạch.",
    ]
    article = Article("Đất ruộng", " ".join(lead), tuple(body))
    summary = summary_of(article, article.body_sentences, scores, LENGTHS["medium"])
    assert [sentence.source_index - 1 for sentence in summary.sentences] == shown


@pytest.mark.parametrize("dots", ["...", " …"])
@pytest.mark.parametrize("length", ["short", "medium"])
def test_a_lead_that_is_cut_off_is_shown_as_the_article_says_it(dots, length, summarizer):
    start = "Ngày 12/5, Ủy ban nhân dân huyện Hòa Lạc đã họp với các hộ dân về bến xe mới"
    whole = f"{start} và hứa trả tiền đền bù trước khi giao mặt bằng cho nhà thầu."
    body = f"Bến xe cũ của huyện sau mưa {whole} Cuộc họp kéo dài suốt buổi sáng ở hội trường."
    article = Article.from_fields("Họp dân về bến xe", start + dots, body)
    [summary] = summarizer.summarize([article], length)
    assert summary.sentences[0].text == whole
    assert dots not in summary.text
    assert article.sentences[summary.sentences[0].source_index].endswith(whole)


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("Theo đó, 47 hộ nhận tiền.", "47 hộ nhận tiền."),
        ("Ngoài ra, cũng tại hội nghị, ông An nói.", "Ông An nói."),
        ("Cũng tại buổi lễ công bố quyết định, ông An nói.", "Ông An nói."),
        ("- Giảm một nửa số hồ sơ.", "Giảm một nửa số hồ sơ."),
        ("2. Giảm một nửa số hồ sơ.", "Giảm một nửa số hồ sơ."),
    ],
)
def test_openings_that_point_back_are_taken_off(sentence, alone):
    assert stand_alone(sentence) == alone


@pytest.mark.parametrize(
    "sentence",
    [
        "Sau đó, xã giao đất.",
        "Từ đó, giá đất tăng gấp đôi.",
        "Được biết, ông An đã từ chức.",
        "Theo đó thì chưa rõ.",
        "Đặc biệt khó khăn là xã An.",
        "- 5 độ C là mức thấp nhất.",
        "+ 3% là mức tăng của năm nay.",
    ],
)
def test_an_opening_that_carries_a_fact_stays(sentence):
    assert stand_alone(sentence) == sentence


def test_dangling_openings_are_known():
    for sentence in (
        "Điều này khiến người dân lo.",
        "Tuy nhiên, người này không có mặt.",
        "Ông cho rằng cần họp lại.",
        "Theo ông, cần họp lại.",
        "Nghị quyết nói trên có hiệu lực.",
        "Ngay sau đó, xe lao xuống ruộng.",
        "Họ phải nộp đủ tiền.",
        "Kết quả, 8 trên 10 hộ đồng ý.",
        "5 hộ dân này được nhận đất.",
        "Những số liệu trên cho thấy điều ấy.",
        "Buổi tiếp xúc được thực hiện tại ba xã.",
        "Khi về làng, tôi nhận ra mình đã sai.",
    ):
        assert is_dangling(sentence), sentence
    for sentence in (
        "Ông Nguyễn Văn An cho biết sẽ họp lại.",
        "Thế giới ghi nhận điều mới.",
        "Dự án trên địa bàn tỉnh đã xong.",
        "Còn 12 hộ chưa nhận tiền.",
        "Họ Trịnh ở làng Sen góp đất.",
        "Hà Nội sẽ triển khai mô hình này.",
        "Song Hỷ là tên một quán ăn.",
        "Các dự án trên địa bàn tỉnh đã xong.",
        "12 hộ dân xã An nhận đất.",
        "Bà Lê Thị Sen nói: “Tôi sẽ giao đất”.",
    ):
        assert not is_dangling(sentence), sentence


def test_a_sentence_without_end_is_cut_with_an_ellipsis_but_no_number_from_its_unit():
    assert shortened(LONG) == LONG
    assert shortened("một hai ba bốn, " * 40).endswith("bốn …")
    assert shortened("Chi cho mỗi xã " * 22 + "1.200 triệu đồng").endswith("xã …")
    assert len(shortened("a" * 200_000 + " b" * 100)) < 1_000


@pytest.mark.parametrize(
    ("summary", "missing"),
    [
        ("Ông Lê Hữu Tạo nhận 1.200 triệu đồng.", []),
        ("Lê Hữu Tạo ở Bến Thóc.", []),
        ("UBND tỉnh họp ngày 12 tháng 9.", []),
        ("Theo UBND tỉnh, có hai trăm triệu đồng.", []),
        ("Ở Khánh Hòa, 25 hộ giao đất.", []),
        ("Ông Lê Văn Tạo nhận tiền.", ["Ông Lê Văn Tạo"]),
        ("Hùng nhận tiền.", ["Hùng"]),
        ("Có 1.300 triệu đồng.", ["1.300triệu"]),
        ("Có 1.200 nghìn đồng.", ["1.200nghìn"]),
        ("Xã họp ngày 13/9 ở Hà Nội.", ["13/9", "Hà Nội"]),
        ("Có ba trăm triệu đồng.", ["ba trăm triệu"]),
        ("Có ba hộ.", ["ba"]),
        ("Bộ Tài chính họp.", ["Bộ Tài chính họp"]),
        ("Chủ tịch Trần Văn Lâm họp.", ["chủ tịch"]),
        ("Có 2 hộ và 19 ca bệnh.", ["19", "2"]),
    ],
)
def test_numbers_dates_and_names_have_to_stand_in_the_article(summary, missing):
    article = (
        "Sáng 12/9, UBND tỉnh Khánh Hoà cho ông Lê Hữu Tạo ở phường Bến Thóc nhận 1.200 triệu đồng "
        "vì 180 m2 đất.\nMỗi hộ trong 25 hộ khác được hai trăm triệu đồng, theo Bộ Tài nguyên và "
        "Môi trường.\nPhó Chủ tịch Trần Văn Lâm nói về dịch Covid-19."
    )
    assert unsupported(summary, article) == missing


def test_a_number_ends_with_its_line():
    assert unsupported("Ba tháng sau, xã họp.", "Phương án một\nBa tháng sau, xã họp.") == []


def test_a_long_line_is_no_way_to_stop_the_program():
    for text in (
        "một " * 50_000,
        "1/" * 100_000,
        "Bộ " * 60_000,
        "a" * 250_000,
        " " * 200_000 + "cùng",
        "(" + "1 Nếu " * 40_000,
        "a" + "-" * 200_000 + "b.",
        "Tham dự " * 30_000,
    ):
        start = time.perf_counter()
        assert unsupported(text, text) == []
        is_dangling(text)
        is_ceremony(text)
        stand_alone(text)
        split_sentences(text)
        said_whole([text, text])
        fit_sentences([text, text.replace(" ", "") + " và năm chữ nữa thôi."])
        assert time.perf_counter() - start < 20


def test_analysis_holds_the_summary(clearance, classifier, summarizer):
    result = analyze(clearance, classifier, summarizer, "short").to_json()
    assert set(result["summary"]) == {"text", "mode", "sentences"}
    [sentence] = result["summary"]["sentences"]
    assert sentence["text"] in result["sentences"][sentence["source_index"]]


def test_the_checkpoint_is_an_ordinary_one():
    files = {path.name for path in DEFAULT_CHECKPOINT.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= files
    assert (DEFAULT_CHECKPOINT / "model.safetensors").stat().st_size < 60e6
    model = AutoModelForTokenClassification.from_pretrained(DEFAULT_CHECKPOINT)
    assert model.config.id2label[0] == "worth"


# Training and measuring


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory, summarizer):
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = summarizer.scorer.tokenizer
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    rows = []
    for number in range(3):
        for path in SAMPLES:
            article = Article.from_text(path.read_text("utf-8"))
            rows.append(
                {
                    "id": f"{path.stem}-{number}",
                    "title": article.title,
                    "abstract": article.body_sentences[1],
                    "body": "\n".join([article.lead, *article.paragraphs]),
                }
            )
    file = tmp_path_factory.mktemp("articles") / "train.parquet"
    pd.DataFrame(rows).to_parquet(file)
    return file


def test_worth_and_oracle_follow_the_abstract(parquet):
    for article in read_articles(parquet):
        worth = sentence_worth(article)
        assert worth.argmax() == 1
        assert worth[1] == pytest.approx(1)
        assert greedy_oracle(article) == [1]
        assert features(article.title, article.sentences).shape == (len(article.sentences), 16)
        assert len(text_rank(article.sentences)) == len(article.sentences)
    assert len(list(read_articles(parquet, sample=4))) == 4


@pytest.fixture(scope="module")
def choices(parquet):
    """A table of choices over the articles of `parquet`; one was cut otherwise."""
    rows = [
        f"{article.id}\t{'test' if number > 5 else 'train'}\t"
        f"{len(article.sentences) + (number == 0)}\t2,1\t3\t0"
        for number, article in enumerate(read_articles(parquet))
    ]
    file = parquet.parent / "choices.tsv"
    file.write_text("\n".join(["id\tsplit\tsentences\tbest\talso\tbad", *rows]) + "\n", "utf-8")
    return file


def test_choices_are_read_as_worth_of_sentences(parquet, choices):
    articles = list(read_articles(parquet))
    read = read_choices(parquet.parent, "train", choices)
    assert [choice.id for choice in read] == [article.id for article in articles[1:6]]
    first = read[0]
    assert not first.article.lead  # VietNews' abstract is what has to be found
    assert first.worth()[:4].tolist() == [BAD, BEST, BEST, ALSO]
    assert set(first.worth()[4:]) <= {NEITHER}
    assert first.summarized().sentences == articles[1].sentences
    assert first.summarized().reference == " ".join(articles[1].sentences[1:3])


@pytest.mark.parametrize("title", ["Dời chợ An Khê", ""])
def test_choices_count_from_the_lead_on(title, tmp_path, summarizer):
    lead = "Chợ cũ của xã An Khê sẽ được dời về cạnh bến xe trước mùa mưa năm nay."
    row = {"id": "bm-1", "title": title, "lead": lead, "body": LONG}
    pd.DataFrame([row]).to_parquet(tmp_path / "pages.parquet")
    table = tmp_path / "choices.tsv"
    table.write_text("id\tsplit\tsentences\tbest\talso\tbad\nbm-1\ttest\t2\t0\t\t\n", "utf-8")
    [choice] = read_choices(tmp_path, "test", table)
    assert choice.article.lead == lead
    assert choice.summarized().reference == lead
    [shown] = shown_by(summarizer, [choice], "medium")
    assert set(shown) <= {0, 1}
    assert 0 in shown
    assert agreement([choice], [[]])["best"] == 0


def test_articles_of_which_sentences_were_chosen_teach_no_abstract(parquet, choices):
    ids = chosen_ids(choices)
    assert len(ids) == len(list(read_articles(parquet)))
    assert not list(read_articles(parquet, without=ids))


def test_agreement_with_an_editor(parquet, choices):
    read = read_choices(parquet.parent, "train", choices)[:2]
    figures = agreement(read, [[1, 3], [0]])
    assert figures == {
        "articles": 2,
        "best": 0.25,
        "good": 0.5,
        "bad": 0.5,
        "none of the best": 0.5,
        "sentences": 1.5,
    }


def test_the_table_of_choices_is_sound():
    first, second = (
        pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, index_col="id")
        for path in (CHOICES, SECOND_READING)
    )
    assert first.index.is_unique
    assert set(first["split"]) == {"train", "validation", "test"}
    test = first[first["split"] == "test"]
    assert test["sentences"].sort_index().equals(second["sentences"].sort_index())
    for table in (first, second):
        for row in table.itertuples():
            best, also, bad = (set(numbers(cell)) for cell in (row.best, row.also, row.bad))
            assert 1 <= len(best) <= 3
            assert not best & also | best & bad | also & bad
            assert max(best | also | bad) < int(row.sentences)


def test_rouge_on_both_scales():
    rows = rouge_rows([("Xã giao đất", "xã giao đất"), ("Xã giao đất", "tỉnh họp")])
    assert rows.shape == (2, 2, 3)
    assert name_rouge(rows.mean(0))["syllable"]["rouge1"] == pytest.approx(50)
    # The published scale drops what is not a-z: "đã" and "ế" are nothing, "xã" is "x".
    assert name_rouge(rouge_rows([("xã đã", "xế")])[0])["published"]["rouge1"] > 50


def test_copied_tokens_have_the_same_neighbour():
    labels = copied_tokens([0, 5, 6, 7, 8, 6, 2], [-1, 0, 0, 0, 1, 1, -1], [9, 6, 7, 8])
    assert labels == [IGNORED, 0, 1, 1, 1, 0, IGNORED]


def test_a_batch_numbers_its_sentences_through(parquet, summarizer):
    import random

    tokenizer = summarizer.scorer.tokenizer
    rows = [
        to_row(a, reference_worth(a), tokenizer, random.Random(0))
        for a in read_articles(parquet, sample=3)
    ]
    batch = SentenceCollator(tokenizer.pad_token_id)(rows)
    numbers = batch["sentence"][batch["sentence"] >= 0].unique().tolist()
    assert numbers == list(range(len(batch["worth"])))
    assert batch["article"].tolist() == sorted(batch["article"].tolist())
    assert batch["copied"].shape == batch["input_ids"].shape == batch["sentence"].shape
    assert ((batch["copied"] == IGNORED) == (batch["sentence"] < 0)).all()


def test_a_scorer_is_trained_and_read_back(tmp_path, tiny_encoder, parquet, choices):
    output = tmp_path / "sentences"
    train_sentence_scorer.main(
        encoder=str(tiny_encoder),
        articles=parquet,
        output=output,
        count=9,
        epochs=2,
        layers=2,
        frozen_layers=1,
        choices=choices,
        corpus=parquet.parent,
    )
    assert json.loads((output / "training.json").read_text("utf-8"))["choices"] == 5
    model = AutoModelForTokenClassification.from_pretrained(output, dtype=torch.float32)
    assert isinstance(model, BertForTokenClassification)
    assert model.config.num_hidden_layers == 2
    before = BertModel.from_pretrained(tiny_encoder).encoder.layer
    after = model.bert.encoder.layer
    frozen, taught = (
        torch.allclose(
            before[i].output.dense.weight, after[i].output.dense.weight, atol=1e-4, rtol=1e-2
        )
        for i in (0, 1)
    )
    assert frozen
    assert not taught
    assert "training" in (output / "README.md").read_text("utf-8").lower()
    [summary] = Summarizer(output).summarize([Article.from_text(SAMPLES[0].read_text("utf-8"))])
    assert summary.text


def test_a_scorer_is_taught_further_and_may_keep_its_weights(
    tmp_path, tiny_encoder, parquet, choices
):
    first, second = tmp_path / "first", tmp_path / "second"
    common = {"articles": parquet, "count": 4, "layers": 2, "frozen_layers": 1}
    with pytest.raises(typer.BadParameter, match="kept"):
        train_sentence_scorer.main(encoder=str(tiny_encoder), output=first, kept=1, **common)
    with pytest.raises(typer.BadParameter, match="corpus"):
        train_sentence_scorer.main(encoder="x", output=first, choices=choices, **common)
    train_sentence_scorer.main(encoder=str(tiny_encoder), output=first, **common)
    taught = {"choices": choices, "corpus": parquet.parent, "kept": 1}
    train_sentence_scorer.main(encoder=str(first), output=second, **common, **taught)
    before, after = (load_file(folder / "model.safetensors") for folder in (first, second))
    assert all(torch.equal(before[name], after[name]) for name in before)
    settings = json.loads((second / "training.json").read_text("utf-8"))
    assert settings["choices"] == 5
    assert settings["before"]["count"] == 4
    assert "training 2" in (second / "README.md").read_text("utf-8")
    # a checkpoint is not gone on from when what was chosen has changed
    other = tmp_path / "choices.tsv"
    other.write_text(choices.read_text("utf-8").replace("2,1\t3", "3\t1"), "utf-8")
    with pytest.raises(ValueError, match="other settings or articles"):
        train_sentence_scorer.main(
            encoder=str(first), output=second, **common, **taught | {"choices": other}
        )


def test_weights_before_a_training_are_mixed_in():
    model = torch.nn.Linear(2, 1)
    before = {"weight": torch.zeros(1, 2), "bias": torch.ones(1)}
    torch.nn.init.constant_(model.weight, 4)
    torch.nn.init.constant_(model.bias, 5)
    mix_in(model, before, 0.25)
    assert model.weight.tolist() == [[3, 3]]
    assert model.bias.tolist() == [4]


def seq2seq(kind: str, folder, tokenizer):
    special = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.bos_token_id,
    }
    torch.manual_seed(0)
    if kind == "t5":
        config = T5Config(
            vocab_size=len(tokenizer),
            d_model=32,
            d_kv=16,
            d_ff=64,
            num_layers=2,
            num_heads=2,
            **special,
        )
        model = T5ForConditionalGeneration(config)
    else:
        config = BartConfig(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            bos_token_id=tokenizer.bos_token_id,
            forced_eos_token_id=None,
            **special,
        )
        model = BartForConditionalGeneration(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["t5", "bart", "encoder"])
def test_a_writer_is_trained_and_what_it_invents_is_not_shown(
    tmp_path, kind, tiny_encoder, parquet, summarizer
):
    base = {"encoder": str(tiny_encoder)}
    if kind != "encoder":
        base = {"model": str(seq2seq(kind, tmp_path / "base", summarizer.scorer.tokenizer))}
    output = tmp_path / "writer"
    train_summarizer.main(
        articles=parquet,
        output=output,
        count=6,
        epochs=1,
        batch_size=4,
        step_size=2,
        decoder_layers=2,
        **base,
    )
    assert json.loads((output / "training.json").read_text())["count"] == 6
    writer = WrittenSummarizer(output, summarizer)
    article = Article.from_text(SAMPLES[0].read_text("utf-8"))
    [summary] = writer.summarize([article])
    assert summary.text
    assert unsupported(summary.text, article.text) == []
    assert summary.mode == "extractive" or summary.sentences[0].source_index is None


class Dictated(WrittenSummarizer):
    """A writer whose words are given; what is tested is what becomes of them."""

    def __init__(self, text, fallback):
        self.text, self.fallback = text, fallback

    def write(self, articles, length):
        return [split_sentences(self.text)] * len(articles)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("Gia đình ông Lê Hữu Tạo giao 180 m² đất.", "abstractive"),
        ("Gia đình ông Lê Hữu Tạo giao 190 m² đất.", "extractive"),
        ("Gia đình ông Lê Hữu Toàn giao đất.", "extractive"),
        ("", "extractive"),
    ],
)
def test_a_written_summary_is_checked_before_it_is_shown(text, mode, clearance, summarizer):
    article = Article.from_text(clearance)
    [summary] = Dictated(text, summarizer).summarize([article])
    assert summary.mode == mode
    assert "190" not in summary.text
    assert "Toàn" not in summary.text


def test_a_writer_that_is_not_there_has_a_message(tmp_path, summarizer):
    with pytest.raises(InputError, match="train_summarizer"):
        WrittenSummarizer(tmp_path / "none", summarizer)
