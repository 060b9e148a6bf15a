"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import CHROMIUM, ROOT, serve

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def address():
    with serve() as url:
        yield url


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    yield page
    page.close()


def submit(page: Page, text: str) -> None:
    page.locator("#article textarea").fill(text)
    page.locator("#analyze").click()


def test_paste_press_and_see_the_theme(page, clearance):
    submit(page, clearance)
    expect(page.locator(".chude-verdict")).to_contain_text("Giải phóng mặt bằng")
    expect(page.locator('.chude-bar[data-theme="gpmb"]')).to_be_visible()
    expect(page.locator(".chude-text mark").first).to_be_visible()


def test_a_summary_sentence_shows_where_it_stands_and_can_be_copied(browser, address, clearance):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(address)
    filler = (ROOT / "samples" / "3-khong-chu-de.txt").read_text("utf-8")
    submit(page, clearance + filler * 3)
    part = page.locator(".chude-summary [data-source]").first
    expect(part).to_be_visible()
    number = part.get_attribute("data-source")
    source = page.locator(f'.chude-text [data-sentence="{number}"]')
    assert part.inner_text() in source.inner_text()
    part.hover()
    expect(source).to_have_class("flash")
    part.click()
    expect(source).to_be_in_viewport()
    page.get_by_role("button", name="Chép tóm tắt").click()
    expect(page.get_by_role("button", name="Đã chép")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".chude-summary p").inner_text()
    context.close()


def test_another_length_makes_another_summary(page, short_lead):
    page.get_by_label("Một câu").click()
    expect(page.locator(".chude-empty")).to_be_visible()  # no text yet, no error
    submit(page, short_lead)
    expect(page.locator(".chude-summary [data-source]")).to_have_count(1)
    page.get_by_label("Tối đa ba câu").click()
    expect(page.locator(".chude-summary [data-source]").nth(1)).to_be_visible()


def test_a_list_of_names_has_no_summary(page):
    names = "\n".join(f"{n}. Nguyễn Văn Tám, Tổ {n}, Phường Bến Thóc" for n in range(20))
    submit(page, names)
    expect(page.locator(".chude-summary")).to_contain_text("Không có câu nào để tóm tắt")


def test_an_article_without_theme_says_so(page):
    submit(page, (ROOT / "samples" / "3-khong-chu-de.txt").read_text("utf-8"))
    expect(page.locator(".chude-verdict")).to_have_text("Không thuộc chủ đề nào")
    expect(page.locator(".chude-text mark")).to_have_count(0)


def test_a_sample_can_be_taken(page):
    page.get_by_text("Cán bộ đến từng nhà", exact=False).first.click()
    expect(page.locator("#article textarea")).not_to_have_value("")
    page.locator("#analyze").click()
    expect(page.locator(".chude-verdict")).to_contain_text("Dân vận")


def test_bad_text_gives_a_message_and_the_next_one_works(page, clearance):
    submit(page, "Hello there, this is not an article in Vietnamese at all, sorry.")
    expect(page.locator(".chude-error")).to_contain_text("tiếng Việt")
    submit(page, clearance)
    expect(page.locator(".chude-verdict")).to_contain_text("Giải phóng mặt bằng")


def test_pasted_markup_is_shown_and_not_run(page, clearance):
    submit(page, clearance + "\n<img src=x onerror=\"document.title='hacked'\"><b>đậm</b>")
    expect(page.locator(".chude-text")).to_contain_text("<img src=x")
    assert page.title() != "hacked"


def test_it_fits_a_telephone(browser, address, clearance):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(address)
    submit(page, clearance)
    expect(page.locator(".chude-verdict")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_nothing_is_asked_of_the_network(browser, address):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.locator("#analyze")).to_be_visible()
    page.wait_for_timeout(2_000)  # never idle: the page keeps a connection open
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.close()


def drop(page: Page, path) -> None:
    page.get_by_role("tab", name="Nhiều bài").click()
    page.locator("#corpus-file input[type=file]").set_input_files(path)


def test_a_file_is_dropped_its_columns_seen_and_the_result_taken(page, tmp_path, clearance):
    import csv

    from openpyxl import load_workbook

    path = tmp_path / "bài.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Mã", "Tên gì đó", "Nội dung", "Ghi chú"])
        title, _, body = clearance.partition("\n\n")
        writer.writerow(["a1", title, body, "<b>=1+1</b>"])
        writer.writerow(["a2", "Ngắn", "", "=2+2"])
    drop(page, path)
    expect(page.locator("#corpus-text input")).to_have_value("Nội dung")
    expect(page.locator("#corpus-title input")).to_have_value("(không có)")
    page.locator("#corpus-title input").click()
    page.get_by_role("option", name="Tên gì đó").click()
    page.locator("#corpus-start").click()
    expect(page.locator("#corpus-stop")).to_be_visible()
    table = page.locator("#corpus-table")
    expect(table.locator('[data-theme="gpmb"] .number')).to_have_text("1", timeout=60_000)
    expect(table).to_contain_text("<b>=1+1</b>")
    expect(table).to_contain_text("Dòng 3")
    with page.expect_download() as download:
        page.locator("#corpus-result").get_by_role("link").first.click()
    download.value.save_as(tmp_path / "out.xlsx")
    header, first, second = load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True)
    assert header[:5] == ("Mã", "Tên gì đó", "Nội dung", "Ghi chú", "primary")
    assert (first[0], first[4]) == ("a1", "gpmb")
    assert second[3] == "=2+2"


def test_a_file_that_cannot_be_read_says_why(page, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"no workbook")
    drop(page, path)
    expect(page.locator(".chude-error")).to_contain_text("a.xlsx")
    expect(page.locator("#corpus-start")).to_be_disabled()


def test_a_run_can_be_stopped(page, tmp_path, clearance):
    import json

    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": clearance}) + "\n" for n in range(3000)))
    drop(page, path)
    page.locator("#corpus-start").click()
    expect(page.locator("#corpus-progress .track")).to_be_visible(timeout=60_000)
    page.locator("#corpus-stop").click()
    expect(page.locator("#corpus-progress")).to_contain_text("Đã dừng", timeout=30_000)
