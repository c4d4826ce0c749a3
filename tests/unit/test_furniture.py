from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.furniture import (
    BYLINE,
    CAPTION,
    LABEL,
    PROMO,
    STANDFIRST,
    clean,
    find_title,
    is_credit,
    key,
)

LEAD = "The ferry company said on Monday that it would buy two ships and hire forty sailors before the summer."
SECOND = "Its rival on the western route has cut sailings since the price of fuel went up in the autumn."
THIRD = "“Nobody will be left on the quay,” the director told reporters in the harbour office."
TITLE = "Ferry Company’s ‘Big Bet’ on Two New Ships"
BODY = (LEAD, SECOND, THIRD)


def test_the_title_goes_wherever_it_stands_and_however_it_is_quoted() -> None:
    straight = "Ferry company's 'big bet' on two new ships"
    page = [TITLE, straight, LEAD, SECOND, straight, THIRD, f"{TITLE} | The Example Gazette", TITLE.upper()]
    assert clean(page, title=TITLE) == (TITLE, "", BODY)


def test_another_print_of_the_title_goes_too() -> None:
    other = "Two new ships for the ferry company"
    assert clean([other, *BODY], title=TITLE, titles=[other]).paragraphs == BODY


@pytest.mark.parametrize(
    "line",
    [
        "Asia Defense | Security | East Asia",
        "Home › World › Europe",
        "Home > World > Europe",
        "Credit: NATO",
        "Credit: U.S. Navy photo by Petty Officer Jane Doe",
        "(Photo: AP)",
        "Photo by Jane Doe/Getty Images",
        "Image credit: Flickr/ Jane Doe",
        "Image Courtesy of the Harbour Office",
        "AP Photo",
        "Getty Images",
        "REUTERS/Jane Doe",
        "© Example Pictures",
        "Foto: dpa",
        "By Jane Doe",
        "By Jane Doe and John O’Neill, Associated Press",
        "Published: 12 March 2024, 10:15 GMT",
        "Updated at 1:23 p.m. on 12 March",
        "4 min read",
        "Read more",
        "Read more: Rival ferry firm cuts winter sailings",
        "RELATED: What the fuel price means for islanders",
        "Lire aussi : Le prix du carburant",
        "Leggi anche: Il prezzo del carburante",
        "Share this article",
        "Like this story? Share it with a friend!",
        "Follow the Gazette on Facebook and Twitter",
        "Advertisement",
        "Story continues below advertisement",
        "Sign up for our weekly newsletter",
        "Get the day's big stories in your inbox.",
        "Copyright © 2024 Example Gazette. All rights reserved.",
        "© 2024 The Associated Press. All rights reserved. This material may not be published or rewritten.",
        "941 comments",
        "No comments",
        "Tags: ferries, ships, fuel",
    ],
)
def test_furniture_goes(line: str) -> None:
    for page in ([line, *BODY], [LEAD, line, SECOND, THIRD], [*BODY, line]):
        assert clean(page, title=TITLE).paragraphs == BODY, page


@pytest.mark.parametrize(
    "line",
    [
        "TOKYO (AP) — The ferry company said on Monday that it would buy two ships.",
        "Credit: that is what the director said the crews deserve for the calm of the last winter.",
        "Photos by passengers show the queue on the quay, which reached the church by nine in the morning.",
        "By Monday the queue had reached the church.",
        "By Friday, all 40 sailors had signed.",
        "Read more into the figures if you like, the director said, but they are only figures.",
        "Share prices fell by a tenth.",
        "Related companies were told on Friday.",
        "Follow the coast road to the lighthouse and turn left at the old school.",
        "Published in 1924, the company’s first timetable had three ships.",
        "Updated rules for the harbour will follow.",
        "Sign up to the crew, the poster said, and see the islands.",
        "Copyright law, the court held, covers the timetable as well.",
        "Two comments by the director were struck from the record.",
        "Advertisement revenue fell for the third year.",
        "The strait is shared by Denmark | Sweden, as the old maps put it, with no line between them.",
        "What happens next",
        "He left.",
        "“Yes,” she said.",
        "12 March 2024 was the day on which the first ship sailed.",
        "Getty Images sued the company over the pictures in its brochure.",
        "今日、フェリー会社は二隻の船を買うと発表した。",
    ],
)
def test_sentences_stay(line: str) -> None:
    for page in ([LEAD, line, SECOND, THIRD], [*BODY, line], [TITLE, LEAD, line, SECOND, THIRD]):
        assert line in clean(page, title=TITLE).paragraphs, page


def test_a_caption_goes_with_its_credit_and_a_lead_before_a_bare_credit_stays() -> None:
    caption = "Director Jane Doe (left) shows the plan of the ship, March 3, 2024."
    assert clean([TITLE, caption, "Credit: Harbour Office", *BODY], title=TITLE).paragraphs == BODY
    assert clean([LEAD, caption, "(Photo: AP)", SECOND, THIRD], title=TITLE).paragraphs == BODY
    assert clean([TITLE, LEAD, "Credit: Harbour Office", SECOND, THIRD], title=TITLE).paragraphs == BODY


def test_a_caption_without_a_credit_stays() -> None:
    caption = "Director Jane Doe (left) shows the plan of the ship, March 3, 2024."
    assert caption in clean([TITLE, caption, *BODY], title=TITLE).paragraphs


def test_a_line_after_the_pictures_text_is_a_caption() -> None:
    caption = "A ferry leaves the harbour in the evening."
    page = [TITLE, "Recent Features", TITLE, caption, "Credit: Harbour Office", *BODY]
    assert clean(page).paragraphs == BODY


def test_the_standfirst_between_titles_is_the_summary() -> None:
    standfirst = "Two ships and forty sailors: the company wants the western route."
    assert clean([TITLE, standfirst, TITLE, *BODY]) == (TITLE, standfirst, BODY)
    assert clean([TITLE, standfirst, TITLE, *BODY], summary="Another description.").summary == standfirst


def test_a_standfirst_equal_to_the_summary_goes_where_more_of_the_top_follows() -> None:
    standfirst = "Two ships and forty sailors: the company wants the western route."
    page = [TITLE, standfirst, "By Jane Doe", *BODY]
    assert clean(page, title=TITLE, summary=standfirst) == (TITLE, standfirst, BODY)


def test_a_first_paragraph_that_is_also_the_description_stays() -> None:
    for summary in (LEAD, LEAD[:80] + "…"):
        assert clean([TITLE, *BODY], title=TITLE, summary=summary) == (TITLE, summary, BODY)


def test_a_text_between_a_title_and_its_repetition_at_the_end_stays() -> None:
    assert clean([TITLE, "What happens next", LEAD, "The rival", SECOND, THIRD, TITLE], title=TITLE).paragraphs == (
        "What happens next",
        LEAD,
        "The rival",
        SECOND,
        THIRD,
    )
    assert clean([TITLE, LEAD, TITLE], title=TITLE).paragraphs == (LEAD,)


@pytest.mark.parametrize("kind", [CAPTION, LABEL, BYLINE, PROMO])
def test_markup_names_furniture(kind: str) -> None:
    line = "A ferry leaves the harbour in the evening."
    assert clean([LEAD, line, SECOND, THIRD], title=TITLE, hints={key(line): kind}).paragraphs == BODY


def test_markup_names_the_standfirst() -> None:
    line = "Two ships and forty sailors: the company wants the western route."
    hints = {key(line): STANDFIRST}
    assert clean([line, *BODY], title=TITLE, summary="For search engines.", hints=hints).summary == line
    assert line in clean([*BODY, line], title=TITLE, hints=hints).paragraphs, "only on top"


def test_a_paragraph_too_long_for_a_summary_stays() -> None:
    line = "The ferry sails. " * 1_200
    cleaned = clean([line, *BODY], title=TITLE, summary="Ships.", hints={key(line): STANDFIRST})
    assert (cleaned.summary, cleaned.paragraphs) == ("Ships.", (line.strip(), *BODY))


def test_authors_are_furniture_on_top() -> None:
    body = BODY * 5
    assert clean(["Jane Doe", *body], title=TITLE, authors=["Jane Doe"]).paragraphs == body
    assert clean([*body, "Jane Doe"], title=TITLE, authors=["Jane Doe"]).paragraphs == (*body, "Jane Doe")


@pytest.mark.parametrize(
    ("page", "title"),
    [
        (["World", TITLE, "By Jane Doe", *BODY], TITLE),
        (["World", "Latest news", TITLE, "World | Europe", TITLE, *BODY], TITLE),
        ([*BODY], ""),
        (["World", *BODY], ""),
        (["Will the ferries sail again this winter?", *BODY], "Will the ferries sail again this winter?"),
        (
            ["フェリー会社、新造船二隻を購入へ", "今日、フェリー会社は二隻の船を買うと発表した。"],
            "フェリー会社、新造船二隻を購入へ",
        ),
        ([TITLE], ""),
        ([], ""),
    ],
)
def test_finding_the_title(page: list[str], title: str) -> None:
    assert find_title(page) == title


def test_credits() -> None:
    assert is_credit("Credit: NATO")
    assert not is_credit("Credit cards are accepted.")
    assert not is_credit("")


_LINES = st.lists(st.one_of(st.text(max_size=60), st.sampled_from((TITLE, "Credit: NATO", "By Jane Doe", *BODY))))


@settings(deadline=None, max_examples=150)
@given(page=_LINES, title=st.sampled_from(("", TITLE)), summary=st.sampled_from(("", LEAD)))
def test_what_is_left_was_there_in_order_and_cleaning_again_finds_no_title(
    page: list[str], title: str, summary: str
) -> None:
    cleaned = clean(page, title=title, summary=summary)
    rest = iter(" ".join(line.split()) for line in page)
    assert all(any(line == other for other in rest) for line in cleaned.paragraphs)
    if cleaned.title:
        assert key(cleaned.title) not in map(key, cleaned.paragraphs)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80))
def test_keys_are_stable(text: str) -> None:
    assert key(key(text)) == key(text)
