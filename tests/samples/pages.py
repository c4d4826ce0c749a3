"""Builds pages of the designs in `designs/` around a text that was copied off a page (as harbour.txt was made)."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

HERE = Path(__file__).parent
DESIGNS = ("semantic", "blog", "soup")


class Sample(NamedTuple):
    """The parts of such a text: rubric, title, section lines, title, standfirst, title, caption, credit, body."""

    rubric: str
    title: str
    standfirst: str
    caption: str
    credit: str
    body: tuple[str, ...]


def read_sample(text: str) -> Sample:
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    assert parts[1] == parts[4] == parts[6]
    return Sample(parts[0], parts[1], parts[5], parts[7], parts[8], tuple(parts[9:]))


def build_page(design: str, sample: Sample) -> str:
    template = Template((HERE / "designs" / f"{design}.html").read_text())
    return template.substitute(
        rubric=escape(sample.rubric),
        title=escape(sample.title),
        plain_title=sample.title.replace("‘", "'").replace("’", "'"),
        standfirst=escape(sample.standfirst),
        caption=escape(sample.caption),
        credit=escape(sample.credit),
        paragraphs="\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in sample.body),
        divisions="\n".join(f"<div>{escape(paragraph)}</div>" for paragraph in sample.body),
    )
