"""The whole circle in a real browser: correct, import, train, compare, promote, go back."""

import json
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from labels.store import Labelled, LabelStore
from model.article import Article
from tests.conftest import CHROMIUM, ROOT, serve

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
TRAINING = 400_000  # milliseconds


def analyze(page: Page, text: str) -> None:
    page.get_by_role("tab", name="Một bài").click()
    page.locator("#article textarea").fill(text)
    page.locator("#analyze").click()


def test_correct_import_train_compare_promote_and_go_back(browser, tmp_path, clearance):
    lines = (ROOT / "tests" / "data" / "unseen_theme.jsonl").read_text("utf-8").splitlines()
    unseen = "\n".join(json.loads(lines[0])[field] for field in ("title", "lead", "body"))
    with serve(CHUDE_HOME=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)

        # Correct a label.
        analyze(page, clearance)
        page.get_by_role("button", name="Sửa nhãn").click()
        expect(page.locator("#correct-main").get_by_label("Giải phóng mặt bằng")).to_be_checked()
        page.locator("#correct-main").get_by_label("Dân vận").check()
        page.locator("#correct-save").click()
        expect(page.locator("#correct-message")).to_contain_text("Đã lưu")
        grades = LabelStore(tmp_path).grades(Article.from_text(clearance))
        assert grades == {"dan_van": 2, "cai_cach_hanh_chinh": 0, "bau_cu": 0, "gpmb": 2}

        # Import fifty articles of a new theme, which has to be confirmed.
        page.get_by_role("tab", name="Huấn luyện").click()
        file = page.locator("#labels-file input[type=file]")
        file.set_input_files(ROOT / "samples" / "chuyen-doi-so.jsonl")
        expect(page.locator("#labels-found")).to_contain_text("50 bài có nhãn")
        page.locator("#labels-import").click()
        expect(page.locator("#labels-message")).to_contain_text("Chưa nhập")
        page.locator("#labels-new").get_by_label("Chuyển đổi số").check()
        page.locator("#labels-import").click()
        expect(page.locator("#labels-message")).to_contain_text("Đã nhập 50 bài")
        expect(page.locator("#label-store")).to_contain_text("Chuyển đổi số")

        page.locator("#labels-export").click()
        with page.expect_download() as download:
            page.locator("#labels-exported").get_by_role("link").first.click()
        assert download.value.suggested_filename == "kho-nhan.xlsx"

        # Train; another browser sees it as well, and analysing goes on meanwhile.
        page.locator("#train-start").click()
        expect(page.locator("#train-progress .track")).to_be_visible(timeout=40_000)
        expect(page.locator("#train-start")).to_be_disabled()
        page.close()
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        analyze(page, unseen)
        expect(page.locator(".chude-verdict")).to_be_visible(timeout=30_000)
        expect(page.locator(".chude-verdict")).not_to_contain_text("Chuyển đổi số")
        page.get_by_role("tab", name="Huấn luyện").click()
        expect(page.locator("#train-progress")).to_contain_text("Xong", timeout=TRAINING)

        # Compare and promote.
        comparison = page.locator("#comparison")
        expect(comparison).to_contain_text("Chuyển đổi số")
        expect(comparison.locator(".chude-f1.candidate")).to_have_count(5)
        page.locator("#version-promote").click()
        expect(page.locator("#version-message")).to_contain_text("Đang dùng mô hình")
        analyze(page, unseen)
        expect(page.locator(".chude-verdict")).to_contain_text("Chuyển đổi số", timeout=30_000)

        # Go back.
        page.get_by_role("tab", name="Huấn luyện").click()
        page.locator("#version-rollback").click()
        expect(page.locator("#version-message")).to_contain_text("Đã quay lại mô hình 'goc'")
        analyze(page, unseen)
        expect(page.locator(".chude-verdict")).not_to_contain_text("Chuyển đổi số", timeout=30_000)
        page.close()


def test_the_training_tab_fits_a_telephone(browser, tmp_path):
    store = LabelStore(tmp_path)
    store.add([Labelled("", Article("Tin", "", ("Xã họp dân.",)), {"gpmb": 2})], "lan", "tệp")
    with serve(CHUDE_HOME=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.goto(address)
        page.get_by_role("tab", name="Huấn luyện").click()
        expect(page.locator("#label-store table")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.close()


def test_too_few_examples_say_how_many_are_missing(browser, tmp_path):
    few = tmp_path / "few.jsonl"
    lines = (ROOT / "samples" / "chuyen-doi-so.jsonl").read_text("utf-8").splitlines()
    few.write_text("\n".join(lines[:7]), "utf-8")
    with serve(CHUDE_HOME=str(tmp_path / "home")) as address:
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab", name="Huấn luyện").click()
        page.locator("#labels-file input[type=file]").set_input_files(few)
        page.locator("#labels-new").get_by_label("Chuyển đổi số").check()
        page.locator("#labels-import").click()
        expect(page.locator("#labels-message")).to_contain_text("Đã nhập 7 bài")
        page.locator("#train-start").click()
        expect(page.locator("#train-progress")).to_contain_text("còn thiếu 3 bài", timeout=60_000)
        page.close()


def test_a_page_open_to_others_trains_only_with_a_password(browser, tmp_path):
    with serve(host="0.0.0.0", CHUDE_HOME=str(tmp_path)) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#analyze")).to_be_visible()
        expect(page.get_by_role("tab", name="Huấn luyện")).to_have_count(0)
        page.close()
    password = {"CHUDE_AUTH": "lan:mat-khau-dai", "CHUDE_HOME": str(tmp_path)}
    with serve(host="0.0.0.0", **password) as address:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(address + "config")
        page = browser.new_page()
        page.goto(address)
        page.locator("input").nth(0).fill("lan")
        page.locator("input").nth(1).fill("mat-khau-dai")
        page.get_by_role("button").first.click()
        expect(page.get_by_role("tab", name="Huấn luyện")).to_be_visible()
        page.close()
