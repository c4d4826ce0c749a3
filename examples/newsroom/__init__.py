"""The sample newsroom: fictional publishers with texts of their own, served over loopback HTTP."""

from __future__ import annotations

from examples.newsroom.content import Article
from examples.newsroom.newsroom import Newsroom

__all__ = ["Article", "Newsroom"]
