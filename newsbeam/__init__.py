"""newsbeam's domain: feeds, articles, entities, topics, stories and the stores that keep them. No Beam here."""

__version__ = "0.1.0"
