"""How well the text and title of real pages are found, beside trafilatura with its default settings in the same run.

The text is scored as the public benchmark does (github.com/scrapinghub/article-extraction-benchmark, evaluate.py):
shingles of 4 tokens, precision and recall a document with true and false counts made relative, their means, F1 of
the means. The furniture rules were written with these 93 pages and the readability pages in sight, three rounds.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import trafilatura
from lxml import html as lxml_html

from newsbeam import extract
from newsbeam.errors import ExtractError
from newsbeam.extract import clean_text, extract_page
from newsbeam.furniture import key
from tests.samples.pages import DESIGNS, Sample, build_page, read_sample

_TOKEN = re.compile(r"\w+")


class Score(NamedTuple):
    precision: float
    recall: float
    f1: float


class Page(NamedTuple):
    url: str
    html: bytes
    truth: str


def shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return Counter(tuple(tokens[i : i + 4]) for i in range(max(1, len(tokens) - 3)) if tokens)


def score(texts: Mapping[str, str], truths: Mapping[str, str]) -> Score:
    precisions, recalls = [], []
    for name, truth in truths.items():
        true, found = shingles(truth), shingles(texts[name])
        hits, wrong, missed = (true & found).total(), (found - true).total(), (true - found).total()
        if hits + wrong:
            precisions.append(hits / (hits + wrong))
        if hits + missed:
            recalls.append(hits / (hits + missed))
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return Score(precision, recall, 2 * precision * recall / (precision + recall))


def body(page: Page) -> str:
    try:
        return extract_page(page.html, url=page.url).body
    except ExtractError:
        return ""


@pytest.fixture(scope="module")
def benchmark(shared_data: Path) -> dict[str, Page]:
    folder = shared_data / "pages" / "article-extraction-benchmark"
    truths = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    return {
        name: Page(
            truth["url"], gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()), truth["articleBody"]
        )
        for name, truth in truths.items()
    }


@pytest.fixture(scope="module")
def readability(shared_data: Path) -> dict[str, tuple[Page, str]]:
    """Page with its expected text, and the expected title."""
    pages = {}
    for folder in sorted(path for path in (shared_data / "pages" / "readability").iterdir() if path.is_dir()):
        source, text, metadata = (
            gzip.decompress((folder / f"{name}.gz").read_bytes())
            for name in ("source.html", "expected.html", "expected-metadata.json")
        )
        expected = lxml_html.fromstring(text.decode() if text.strip() else "<p></p>")
        truth = "\n".join(expected.itertext())
        pages[folder.name] = (
            Page("http://fakehost/test/page.html", source, truth),
            json.loads(metadata)["title"] or "",
        )
    return pages


@pytest.fixture(scope="module")
def bodies(benchmark: dict[str, Page]) -> dict[str, str]:
    return {name: body(page) for name, page in benchmark.items()}


def test_text_of_the_benchmarks_pages(
    benchmark: dict[str, Page], bodies: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(benchmark) >= 93
    truths = {name: page.truth for name, page in benchmark.items()}
    plain = score({name: trafilatura.extract(page.html) or "" for name, page in benchmark.items()}, truths)
    ours = score(bodies, truths)
    with capsys.disabled():
        print(f"\narticle-extraction-benchmark, {len(truths)} pages, 4-gram shingles: precision, recall, F1")
        print("  trafilatura {:.4f} {:.4f} {:.4f}".format(*plain))
        print("  newsbeam    {:.4f} {:.4f} {:.4f}".format(*ours))
    assert ours.f1 >= plain.f1 - 0.002
    assert ours.f1 >= 0.95
    assert ours.recall >= plain.recall - 0.005, "furniture takes no text"


def test_text_and_title_of_readabilitys_pages(
    readability: dict[str, tuple[Page, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Readability keeps captions and credits in its text, so that only the loss against trafilatura is of interest."""
    plain_texts, our_texts, truths = {}, {}, {}
    plain_titles = our_titles = 0
    for name, (page, title) in readability.items():
        found = trafilatura.bare_extraction(page.html, include_comments=False, with_metadata=True)
        try:
            content = extract_page(page.html, url=page.url)
            our_title, our_texts[name] = content.title, content.body
        except ExtractError:
            our_title, our_texts[name] = "", ""
        plain_titles += key(title) == key(getattr(found, "title", None) or "")
        our_titles += key(title) == key(our_title)
        plain_texts[name] = getattr(found, "text", None) or ""
        truths[name] = page.truth
    news = {name: truth for name, truth in truths.items() if len(_TOKEN.findall(truth)) >= 300}
    plain, ours = score(plain_texts, news), score(our_texts, news)
    with capsys.disabled():
        print(f"\nreadability, {len(news)} pages of 300 words or more: precision, recall, F1")
        print("  trafilatura {:.4f} {:.4f} {:.4f}".format(*plain))
        print("  newsbeam    {:.4f} {:.4f} {:.4f}".format(*ours))
        print(f"readability, titles of {len(truths)} pages: trafilatura {plain_titles}, newsbeam {our_titles}")
    assert ours.f1 >= plain.f1 - 0.01
    assert our_titles >= plain_titles
    assert our_titles >= 0.7 * len(truths)


def test_the_same_pages_in_another_order_give_the_same(benchmark: dict[str, Page], bodies: dict[str, str]) -> None:
    again = {name: body(page) for name, page in reversed(list(benchmark.items())[::3])}
    assert again == {name: bodies[name] for name in again}


# --- the project's example article


@pytest.fixture(scope="module")
def example(shared_data: Path) -> str:
    return (shared_data / "articles" / "000_03b1580d72243570.txt").read_text(encoding="utf-8")


def check(content: extract.Content, sample: Sample) -> None:
    title = "NATO Chief Wants More Indo-Pacific ‘Friends’ as Russia, China Move Closer"
    assert content.title == title
    assert key(title) not in key(content.body)
    assert content.body.startswith("China’s growing assertiveness and collaboration")
    assert content.summary.startswith(
        "NATO Secretary-General Jens Stoltenberg is visiting Japan and South Korea this week"
    )
    for furniture in (
        "Recent Features",
        " | ",
        "(left) meets Prime Minister",
        "Credit:",
        "Asia Defense",
        content.summary,
    ):
        assert furniture not in content.body
    assert content.body.split("\n\n") == list(sample.body)
    assert content.quality == "ok"


def test_the_example_as_plain_text(example: str) -> None:
    sample = read_sample(example)
    check(clean_text(example), sample)
    check(clean_text(example, title=sample.title), sample)
    check(clean_text(example.replace("\n", "\r\n")), sample)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_example_as_a_page(example: str, design: str) -> None:
    sample = read_sample(example)
    page = build_page(design, sample)
    check(extract_page(page.encode(), url="https://gazette.example/2023/02/nato", content_type="text/html"), sample)
    check(extract_page(page, url="https://gazette.example/2023/02/nato", title_hint=sample.title), sample)
