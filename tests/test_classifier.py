import math

import pytest
import torch

from model.analysis import analyze, analyze_article
from model.article import Article
from model.classifier import DEFAULT_CHECKPOINT, MENTIONED
from model.windows import WINDOW, article_windows, pool_windows
from tests.conftest import ROOT

SAMPLES = sorted((ROOT / "samples").glob("*.txt"))


def test_every_token_is_in_a_window_and_none_is_too_long(classifier, clearance):
    tokenizer = classifier.tokenizer
    for text in (clearance, clearance * 1 + "Câu thêm vào cho dài bài viết này ra mãi. " * 200):
        article = Article.from_text(text)
        windows = article_windows(tokenizer, article)
        title = tokenizer.encode(article.title, add_special_tokens=False)
        body = windows[0][1:-1] + [t for w in windows[1:] for t in w[1 + len(title) : -1]]
        assert body == tokenizer.encode(article.text, add_special_tokens=False)
        assert max(map(len, windows)) <= WINDOW


def test_vietnamese_characters_are_never_unknown(classifier):
    letters = "ĂăÂâĐđÊêÔôƠơƯư ẶẴỄỖỠỮỸ ặẵễỗỡữỹ 0123456789 .,;:!?()[]“”‘’–…%/&@#+-*='\""
    assert classifier.tokenizer.unk_token_id not in classifier.tokenizer.encode(letters)


def test_topics_are_the_mean_of_windows_and_mentions_their_maximum():
    logits = torch.tensor([[0.0, 0.0], [3.0, 5.0], [1.0, -1.0]])
    pooled = pool_windows(
        logits,
        torch.tensor([200, 100, 50]),
        torch.tensor([0, 0, 1]),
        torch.tensor([False, True]),
    )
    assert pooled.tolist() == [[1.0, 5.0], [1.0, -1.0]]


def test_an_article_about_clearance(classifier, clearance):
    analysis = analyze(clearance, classifier)
    assert analysis.primary == "gpmb"
    themes = {t.theme: t for t in analysis.themes}
    assert themes["gpmb"].is_topic
    assert not themes["bau_cu"].is_mentioned
    assert all(e.sentence in analysis.sentences for e in analysis.evidence)
    best = next(e for e in analysis.evidence if e.theme == "gpmb")
    assert any(word in best.sentence for word in ("đất", "tái định cư", "mặt bằng"))


def test_samples(classifier):
    first, council, none = (analyze(path.read_text("utf-8"), classifier) for path in SAMPLES)
    assert first.primary == "dan_van"
    clearance = next(t for t in council.themes if t.theme == "gpmb")
    assert clearance.is_mentioned
    assert not clearance.is_topic
    assert none.primary is None
    assert none.evidence == []


def test_the_theme_is_found_at_the_end_of_a_long_article(classifier, clearance):
    filler = SAMPLES[2].read_text("utf-8")
    tail = clearance.split("\n\n", 1)[1]
    [scores] = classifier.predict([Article.from_text(filler + "\n" + tail)])
    assert next(t for t in scores if t.theme == "gpmb").is_mentioned


def test_an_article_scores_the_same_alone_and_in_a_batch(classifier, clearance):
    articles = [Article.from_text(p.read_text("utf-8")) for p in SAMPLES]
    articles.append(Article.from_text(clearance))
    together = classifier.logits(articles)
    alone = torch.cat([classifier.logits([article]) for article in articles])
    assert torch.allclose(together, alone, atol=1e-3)


def test_json_form_is_the_contract(classifier, clearance):
    result = analyze_article(Article.from_text(clearance), classifier).to_json()
    assert set(result) == {"title", "primary", "themes", "evidence", "summary", "sentences"}
    assert set(result["summary"]) == {"text", "mode", "sentences"}
    assert set(result["summary"]["sentences"][0]) == {"text", "source_index"}
    assert set(result["themes"][0]) == {"theme", "label", "score", "is_topic", "is_mentioned"}
    assert set(result["evidence"][0]) == {"theme", "sentence", "score"}
    assert all(t["is_mentioned"] or not t["is_topic"] for t in result["themes"])


def test_the_checkpoint_is_an_ordinary_one(classifier):
    files = {path.name for path in DEFAULT_CHECKPOINT.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]
    assert (DEFAULT_CHECKPOINT / "model.safetensors").stat().st_size < 60e6
    assert classifier.model.config.problem_type == "multi_label_classification"
    assert classifier.labels[len(classifier.themes) :] == [k + MENTIONED for k in classifier.themes]
    for settings in classifier.settings.values():
        assert 0 < settings["threshold"] < 1


@pytest.mark.parametrize("noise", ["1 2 3", "- - -", "A\nB\nC"])
def test_tables_and_lists_do_not_break_it(classifier, noise):
    text = "Bảng danh sách hộ dân nhận tiền\n" + "\n".join(
        f"{noise} hộ {i} đồng" for i in range(99)
    )
    analysis = analyze(text, classifier)
    assert all(math.isfinite(t.score) for t in analysis.themes)


def test_early_exit_leaves_out_what_words_rule_out_and_decides_the_same(
    classifier, clearance, monkeypatch
):
    texts = [clearance, *(path.read_text("utf-8") for path in SAMPLES)]
    articles = [Article.from_text(text) for text in texts]
    whole = classifier.predict(articles)
    read = []
    window_logits = classifier.window_logits

    def watched(windows):
        read.extend(windows)
        return window_logits(windows)

    monkeypatch.setattr(classifier, "window_logits", watched)
    early = classifier.predict(articles, early_exit=True)
    assert 0 < len(read) < sum(len(article_windows(classifier.tokenizer, a)) for a in articles)
    for own, other in zip(early, whole, strict=True):
        assert [(t.is_topic, t.is_mentioned) for t in own] == [
            (t.is_topic, t.is_mentioned) for t in other
        ]
    assert [t.score for t in early[0]] == pytest.approx([t.score for t in whole[0]], abs=1e-4)
