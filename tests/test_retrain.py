import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from transformers import AutoModelForSequenceClassification

from labels.store import ABSENT, MAIN, TOUCHED, Labelled, LabelStore
from model.analysis import load_classifier
from model.article import Article
from model.background import Background
from model.classifier import ThemeClassifier
from model.errors import InputError
from model.features import article_features
from model.files import write_json
from model.registry import RECORD, ModelRegistry
from model.words import WordModel
from page.training_job import stop_training
from tests.conftest import ROOT
from training.retrain.candidate import FULL, compare_again, train
from training.retrain.comparison import compare
from training.retrain.examples import Example, own_examples, read_lesson
from training.retrain.features import FeatureCache
from training.retrain.logistic import fit_difference
from training.retrain.promotion import promote_version
from training.retrain.state import (
    DONE,
    FAILED,
    RUNNING,
    STOPPED,
    StateFile,
    read_state,
    training_folder,
    training_run,
)
from training.retrain.unlabelled import read_unlabelled
from training.retrain.word_vectors import typical_vectors, word_vectors

NEW = "Chuyển đổi số"


def story(number: int, about: str) -> Article:
    body = f"{about} lần thứ {number} ở thôn {number}."
    return Article(f"Tin số {number} của xã Gò Lim", "", (body,))


def digital(number: int) -> Article:
    return story(number, "Bà con học dùng ứng dụng điện thoại, quét mã và ký số trên nền tảng số")


def village(number: int) -> Article:
    return story(number, "Đội văn nghệ tập múa hát mừng mùa lúa mới bên bờ sông")


@pytest.fixture(scope="module")
def words() -> WordModel:
    """Over a few n-grams, its weights at random."""
    texts = [digital(n).text for n in range(3)] + [village(n).text for n in range(3)]
    ngrams = sorted({word for text in texts for word in text.lower().replace(".", "").split()})
    torch.manual_seed(1)
    return WordModel(
        ngrams, 1 + torch.rand(len(ngrams)) * 3, torch.randn(len(ngrams), 4), torch.zeros(4)
    )


@pytest.fixture
def tiny_home(own_home, tiny_checkpoint, words):
    """A home in which a tiny classifier is in use."""
    folder = own_home / "models" / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    words.save(folder)
    Background.of(torch.randn(50, 16)).save(folder)
    write_json(folder / RECORD, {"created": "2026-01-01", "parent": "goc", "comparison": {}})
    ModelRegistry().promote("tiny")
    return own_home


def add_theme(count: int = 40, others: int = 20) -> None:
    store = LabelStore()
    store.name_theme("chuyen_doi_so", NEW)
    store.add([Labelled("", digital(n), {"chuyen_doi_so": MAIN}) for n in range(count)], "a", "t")
    no = {"chuyen_doi_so": ABSENT}
    store.add([Labelled("", village(n), no) for n in range(others)], "a", "t")


def scores(classifier: ThemeClassifier, article: Article) -> dict[str, float]:
    return {theme.theme: theme.score for theme in classifier.predict([article])[0]}


def test_quick_learns_a_theme_and_leaves_the_others_as_they_are(tiny_home):
    add_theme()
    before = load_classifier()
    version = train()
    assert read_state().state == DONE
    assert read_state().version == version.name
    after = ThemeClassifier(version.checkpoint)
    assert after.themes == ["dan_van", "gpmb", "chuyen_doi_so"]
    assert after.settings["chuyen_doi_so"]["label"] == NEW
    assert scores(after, digital(99))["chuyen_doi_so"] > 0.5
    assert scores(after, village(99))["chuyen_doi_so"] < 0.5
    for article in (digital(99), village(99)):
        old, new = scores(before, article), scores(after, article)
        assert [new[t] for t in old] == pytest.approx(list(old.values()), abs=2e-3)
    assert ModelRegistry().current().name == "tiny"  # a candidate first


def test_a_candidate_is_an_ordinary_checkpoint_that_knows_how_it_was_made(tiny_home):
    add_theme()
    version = train()
    model = AutoModelForSequenceClassification.from_pretrained(version.checkpoint)
    assert model.config.num_labels == 5
    assert {p.name for p in version.checkpoint.iterdir()} >= {"README.md", "words.safetensors"}
    assert not list(version.checkpoint.glob("*.bin"))
    record = version.record
    assert (record["parent"], record["mode"], record["examples"]) == ("tiny", "quick", 45)
    themes = {theme["theme"]: theme for theme in record["comparison"]["themes"]}
    measured = themes["chuyen_doi_so"]
    assert (measured["graded"], measured["positives"], measured["ungraded"]) == (15, 10, 150)
    assert measured["current"] is None
    assert 0 <= measured["candidate"]["low"] <= measured["candidate"]["f1"] <= 1
    LabelStore().add([Labelled("", village(77), {"gpmb": MAIN})], "a", "t")
    assert read_lesson(LabelStore(), version.themes).fingerprint != record["fingerprint"]


def test_held_out_articles_are_never_learnt_from(tiny_home):
    add_theme()
    lesson = read_lesson(LabelStore(), {"dan_van": "Dân vận"})
    learned = {example.id for example in lesson.examples}
    assert not learned & {example.id for example in lesson.held_out}
    assert len(lesson.learned) == 45


def test_too_few_examples_are_refused(tiny_home):
    add_theme(count=7)
    with pytest.raises(InputError, match="còn thiếu 3 bài"):
        train()
    assert read_state().state == FAILED
    assert "còn thiếu 3 bài" in read_state().error
    assert [v.name for v in ModelRegistry().versions()] == ["goc", "tiny"]


def test_nothing_to_learn_says_so(tiny_home):
    with pytest.raises(InputError, match="Kho nhãn trống"):
        train()


def test_a_correction_moves_its_theme_and_not_the_others(tiny_home):
    before = load_classifier()
    old = scores(before, village(3))
    wrong = min(old, key=lambda theme: abs(old[theme] - 0.5))
    grade = ABSENT if old[wrong] > 0.5 else MAIN
    store = LabelStore()
    store.add([Labelled("", village(n), {wrong: grade}) for n in range(8)], "a", "t")
    new = scores(ThemeClassifier(train().checkpoint), village(3))
    other = next(theme for theme in old if theme != wrong)
    moved = np.log(new[wrong] / (1 - new[wrong])) - np.log(old[wrong] / (1 - old[wrong]))
    assert moved * (grade - 1) > 0.3  # in log-odds; the tiny encoder has few features to move
    assert new[other] == pytest.approx(old[other], abs=2e-3)


def test_a_renamed_and_a_removed_theme(tiny_home):
    store = LabelStore()
    store.name_theme("gpmb", "Thu hồi đất")
    store.remove_theme("dan_van", "Dân vận")
    version = train()
    assert version.themes == {"gpmb": "Thu hồi đất"}
    classifier = ThemeClassifier(version.checkpoint)
    assert classifier.labels == ["gpmb", "gpmb:mentioned"]
    old = scores(load_classifier(), village(5))
    assert scores(classifier, village(5))["gpmb"] == pytest.approx(old["gpmb"], abs=2e-3)


def test_touched_articles_set_where_touched_begins(tiny_home):
    add_theme()
    touched = [Labelled("", story(n, "Có quét mã"), {"chuyen_doi_so": TOUCHED}) for n in range(20)]
    LabelStore().add(touched, "a", "t")
    settings = ThemeClassifier(train().checkpoint).settings["chuyen_doi_so"]
    assert settings["mention_threshold"] <= settings["threshold"]


def test_the_promoted_version_is_used_at_once_and_rolled_back(tiny_home):
    add_theme()
    version = train()
    assert "chuyen_doi_so" not in load_classifier().themes
    promote_version("latest", force=True)
    assert "chuyen_doi_so" in load_classifier().themes
    with pytest.raises(InputError, match="chính là mô hình đang dùng"):
        compare_again(version.name)
    ModelRegistry().rollback()
    assert "chuyen_doi_so" not in load_classifier().themes
    assert compare_again(version.name)["themes"]


def test_a_worse_candidate_needs_force(tiny_home):
    add_theme()
    version = train()
    record = json.loads((version.checkpoint / RECORD).read_text())
    record["comparison"]["against"] = ["'Dân vận' kém hẳn."]
    write_json(version.checkpoint / RECORD, record)
    with pytest.raises(InputError, match="kém hẳn"):
        promote_version(version.name)
    assert ModelRegistry().current().name == "tiny"
    assert promote_version(version.name, force=True).name == version.name


def test_full_trains_the_encoder_and_keeps_what_it_knew(tiny_home):
    add_theme(count=16, others=8)
    before = load_classifier()
    version = train(FULL, settings={"epochs": 2, "learning_rate": 1e-3})
    after = ThemeClassifier(version.checkpoint)
    assert after.themes == ["dan_van", "gpmb", "chuyen_doi_so"]
    name = "bert.pooler.dense.weight"
    old, new = (
        load_file(c / "model.safetensors")[name]
        for c in (tiny_home / "models" / "tiny", version.checkpoint)
    )
    assert not torch.equal(old.half(), new.half())
    agree = [
        (scores(before, article)[theme] > 0.5) == (scores(after, article)[theme] > 0.5)
        for article in map(village, range(30, 50))
        for theme in before.themes
    ]
    assert np.mean(agree) > 0.8
    assert any("f1" in point for point in version.record["curve"])
    assert not (training_folder() / "full").exists()


def test_full_goes_on_where_it_was_killed(tiny_home):
    add_theme(count=16, others=8)
    script = (
        "import os, signal\n"
        "from training.retrain import full\n"
        "from training.retrain.candidate import FULL, train\n"
        "class Kill(full.TellState):\n"
        "    def on_epoch_begin(self, args, state, control, **kwargs):\n"
        "        if state.epoch >= 1:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "full.TellState = Kill\n"
        "train(FULL, settings={'epochs': 3, 'learning_rate': 1e-3})\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert read_state().state == STOPPED
    assert list((training_folder() / "full").glob("checkpoint-*"))
    version = train(FULL, settings={"epochs": 3, "learning_rate": 1e-3})
    steps = [point["step"] for point in version.record["curve"] if "f1" in point]
    assert len(steps) == 2  # the first epoch was not done again


def test_only_one_training_at_a_time(tiny_home):
    add_theme()
    with training_run("quick"), pytest.raises(InputError, match="một lần huấn luyện khác"):
        train()


def test_a_training_that_died_is_found_to_be_stopped(own_home):
    folder = training_folder()
    folder.mkdir(parents=True)
    file = StateFile(folder / "state.json", "quick")
    file.state = replace(file.state, process_start=1.0)
    file.write()
    assert read_state().state == STOPPED
    (folder / "state.json").write_text('{"state": "run')
    assert read_state() is None


def test_a_full_disk_leaves_everything_as_it_was(tiny_home):
    add_theme()
    script = (
        "import resource\n"
        "from training.retrain.candidate import train\n"
        "import datasets, sklearn.linear_model\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "train()\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert "InputError: Không ghi được" in run.stderr
    assert ModelRegistry().current().name == "tiny"
    assert [v.name for v in ModelRegistry().versions()] == ["goc", "tiny"]
    assert train().name  # once there is room again


def test_features_are_read_once(tiny_home, tiny_checkpoint):
    classifier = ThemeClassifier(tiny_checkpoint)
    examples = [Example(str(n), "", village(n), {}) for n in range(5)]
    read: list[float] = []
    FeatureCache(classifier, tiny_home / "cache")(examples, read.append)
    assert read == [1.0]
    again = FeatureCache(classifier, tiny_home / "cache")(examples[::-1], read.append)
    assert read == [1.0]
    fresh = article_features(classifier, [e.article for e in examples[::-1]])
    for kept, direct in zip(again, fresh, strict=True):
        assert torch.allclose(kept.mean, direct.mean, atol=1e-2)
        assert torch.equal(kept.lengths, direct.lengths)


def test_features_give_the_classifiers_own_logits(classifier, clearance):
    from training.retrain.comparison import topics_of

    article = Article.from_text(clearance)
    seen = article_features(classifier, [article])
    found = topics_of(classifier, [Example("1", "", article, {})], seen)
    decided = {theme.theme: theme.is_topic for theme in classifier.predict([article])[0]}
    assert {theme: bool(value[0]) for theme, value in found.items()} == decided


def test_the_difference_from_a_known_model_is_fitted():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(300, 3))
    truth = (inputs @ [2.0, -1.0, 0.0] + generator.normal(size=300) > 0).astype(float)
    ones = np.ones(300)
    coefficients, _ = fit_difference(inputs, truth, ones, 1.0, np.zeros(300))
    peer = LogisticRegression(C=1.0).fit(inputs, truth)
    assert coefficients == pytest.approx(peer.coef_[0], abs=0.05)
    known = peer.decision_function(inputs)
    change, shift = fit_difference(inputs, truth, ones, 1.0, known)
    assert np.abs(change).max() < 0.2 * np.abs(peer.coef_).max()
    assert abs(shift) < 0.2


def test_typical_articles_have_the_papers_words():
    idf = torch.tensor([1.0, 1 + np.log(2), 1 + np.log(20)], dtype=torch.float32)
    words = WordModel(["và", "xã", "hiếm"], idf, torch.zeros(3, 1), torch.zeros(1))
    vectors = typical_vectors(words, 2000)
    share = (vectors.toarray() > 0).mean(0)
    assert share == pytest.approx([1.0, 0.5, 0.05], abs=0.04)
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(1)).ravel())
    assert norms[norms > 0] == pytest.approx(1.0)
    assert word_vectors(words, ["Xã và xã"]).toarray()[0, 2] == 0


def test_a_background_remembers_mean_and_spread(tmp_path):
    torch.manual_seed(0)
    features = torch.randn(400, 4) @ torch.randn(4, 4) + torch.tensor([1.0, 2.0, 3.0, 4.0])
    Background.of(features).save(tmp_path)
    drawn = Background.load(tmp_path).sample(4000)
    assert drawn.mean(0) == pytest.approx(features.mean(0).numpy(), abs=0.2)
    assert np.cov(drawn.T) == pytest.approx(torch.cov(features.T).numpy(), abs=0.6)
    assert Background.load(tmp_path / "none") is None


def test_a_comparison_counts_only_what_is_known():
    def example(number, grades, ours=False):
        return Example(str(number), f"bài {number}", village(number), grades, ours)

    examples = [example(n, {"a": 2 if n < 20 else 0}) for n in range(40)]
    examples += [example(n, {"a": 0}, ours=True) for n in range(40, 50)]
    truth = np.array([n < 20 for n in range(50)])
    half = np.array([n < 10 for n in range(50)])
    noisy = np.array([n >= 45 for n in range(50)])
    found = compare(examples, {"a": "A", "b": "B"}, {"a": truth}, {"a": half, "b": noisy})
    a, b = found["themes"]
    assert (a["graded"], a["positives"], a["current"]["f1"]) == (50, 20, 1.0)
    assert a["candidate"]["f1"] == pytest.approx(2 / 3)
    assert a["candidate"]["low"] < 2 / 3 < a["candidate"]["high"]
    assert a["worse"]
    assert (b["graded"], b["candidate"], b["ungraded"], b["alarms"]) == (0, None, 10, 5)
    assert len(found["differences"]) == 15
    assert found["differences"][0]["article"] == "bài 10"
    against = " ".join(found["against"])
    assert "'A' kém hẳn" in against
    assert "'B' báo nhầm nhiều" in against
    same = compare(examples, {"a": "A"}, {"a": truth}, {"a": truth})
    assert same["against"] == [] == same["differences"]


def test_unlabelled_articles_are_drawn_from_a_corpus(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"text": village(n).text} for n in range(30)] + [{"text": "ngắn"}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    found = read_unlabelled(str(path), count=10)
    assert 9 <= len(found) <= 10
    assert not any(example.grades or example.ours for example in found)
    assert [e.id for e in found] == [e.id for e in read_unlabelled(str(path), count=10)]


def test_a_candidate_of_another_parent_is_compared_again(tiny_home):
    add_theme()
    first, second = train(), train()
    promote_version(first.name, force=True)
    assert second.record["parent"] == "tiny"
    themes = {t["theme"]: t for t in compare_again(second.name)["themes"]}
    assert themes["chuyen_doi_so"]["current"] == themes["chuyen_doi_so"]["candidate"]


def test_a_damaged_cache_is_made_anew(tiny_home, tiny_checkpoint):
    classifier = ThemeClassifier(tiny_checkpoint)
    examples = [Example("1", "", village(1), {})]
    cache = FeatureCache(classifier, tiny_home / "cache")
    cache(examples)
    cache.path.write_bytes(cache.path.read_bytes()[:20])
    assert len(FeatureCache(classifier, tiny_home / "cache")(examples)) == 1


def test_no_held_out_article_comes_in_by_another_door(tiny_home):
    add_theme()
    store = LabelStore()
    own = own_examples("written")[:12] + own_examples("check")[:4]
    store.add([Labelled("", e.article, {"chuyen_doi_so": MAIN}) for e in own], "a", "t")
    stored = [Example(item.id, "", item.article, {}) for item in store.articles()]
    lesson = read_lesson(store, {"dan_van": "Dân vận"}).with_unlabelled(stored)
    ids = [e.id for e in (*lesson.examples, *lesson.held_out)]
    assert len(ids) == len(set(ids))
    check = {e.id: e for e in lesson.held_out if e.ours}
    assert len(check) == 150
    assert all(check[e.id].grades["chuyen_doi_so"] == MAIN for e in own[12:])
    assert check[own[12].id].grades["gpmb"] == own[12].grades["gpmb"]


def test_only_the_process_that_trains_is_stopped(own_home):
    folder = training_folder()
    folder.mkdir(parents=True)
    other = subprocess.Popen(["sleep", "30"])
    try:
        file = StateFile(folder / "state.json", "quick")
        assert read_state().state == RUNNING  # this very process
        file.state = replace(file.state, pid=other.pid, process_start=1.0)
        file.write()
        assert read_state().state == STOPPED  # another process has taken the number
        stop_training()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_place_that_is_no_folder_gives_a_reason(own_home):
    own_home.write_text("a file")
    with pytest.raises(InputError, match="Không"):
        train()


def test_two_may_remember_what_they_read_at_once(tiny_home, tiny_checkpoint):
    def read(start: int) -> None:
        classifier = ThemeClassifier(tiny_checkpoint)
        for number in range(start, start + 5):
            example = Example(str(number), "", village(number), {})
            FeatureCache(classifier, tiny_home / "cache")([example])

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(read, start) for start in (0, 10, 20)]:
            done.result()


def test_a_known_theme_that_fires_on_everything_is_held_back():
    examples = [Example(str(n), "", village(n), {"a": 0}) for n in range(20)]
    examples += [Example(str(n), "", village(n), {}, ours=True) for n in range(20, 120)]
    never, always = np.zeros(120, dtype=bool), np.ones(120, dtype=bool)
    found = compare(examples, {"a": "A"}, {"a": never}, {"a": always})
    assert "'A' báo nhầm nhiều" in " ".join(found["against"])
