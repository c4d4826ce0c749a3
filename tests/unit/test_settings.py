"""Settings and feeds.yaml: what is read, and that every problem is one line naming file, line and key."""

from __future__ import annotations

import ipaddress
import pickle
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from newsbeam.configfile import parse_yaml
from newsbeam.errors import ConfigError, FetchError
from newsbeam.records import Feed, Source
from newsbeam.settings import (
    COUNTRIES,
    PoolSettings,
    Settings,
    credentials_for,
    default_config_dir,
    feed_id,
    load_settings,
    parse_duration,
    read_feeds,
)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEWSBEAM_ALLOW_NETWORKS", raising=False)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a small feeds.yaml, as `config` under the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("config")
    path.mkdir()
    (path / "feeds.yaml").write_text("feeds:\n  - url: https://example.org/feed\n")
    return path


def error_of(config: Path, text: str | bytes, name: str = "feeds.yaml") -> str:
    """The one line that a wrong file gives."""
    (config / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_settings(config)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(config / name))
    return message.removeprefix(f"{config}/")


# --- feeds --------------------------------------------------------------------------------------------------------


def test_a_feed_with_every_key(config: Path) -> None:
    (config / "feeds.yaml").write_text("""
feeds:
  - url: HTTPS://News.Example.ORG/World/rss.xml#top
    id: world
    name: "  World news "
    source: {id: example, name: The Example, domain: WWW.example.org, country: JP}
    language: pt-BR
    every: 2h
    full_text: false
    enabled: false
    credentials: EXAMPLE_LOGIN
    tags: [asia, Pacific islands]
""")
    assert load_settings(config).feeds == (
        Feed(
            id="world",
            url="https://news.example.org/World/rss.xml",
            name="World news",
            source=Source("example", "The Example", "example.org", "jp"),
            language="pt-br",
            every=7200,
            full_text=False,
            enabled=False,
            credentials="EXAMPLE_LOGIN",
            tags=("asia", "Pacific islands"),
        ),
    )


def test_a_feed_with_an_address_alone(config: Path) -> None:
    feed = load_settings(config).feeds[0]
    assert feed == Feed(
        id="example.org-feed",
        url="https://example.org/feed",
        name="example.org",
        source=Source("example.org", "example.org", "example.org"),
    )
    assert (feed.every, feed.full_text, feed.enabled) == (900, True, True)


def test_the_source_follows_from_what_is_given(config: Path) -> None:
    (config / "feeds.yaml").write_text("""
feeds:
  - {url: "https://www.feeds.example/a", source: {name: The Ex Ample}}
  - {url: "https://www.feeds.example/b", source: {domain: example.org}}
  - {url: "https://www.feeds.example/c"}
""")
    assert [feed.source for feed in load_settings(config).feeds] == [
        Source("the-ex-ample", "The Ex Ample", "feeds.example"),
        Source("example.org", "example.org", "example.org"),
        Source("feeds.example", "feeds.example", "feeds.example"),
    ]


def test_defaults_hold_where_a_feed_says_nothing(config: Path) -> None:
    (config / "feeds.yaml").write_text("""
defaults: {language: en, every: 1h, tags: [all], enabled: false, source: {country: au, name: Ex}}
feeds:
  - {url: "https://a.example/x"}
  - {url: "https://b.example/x", language: ~, every: 15m, tags: [], enabled: true, source: {name: Bee}}
""")
    first, second = load_settings(config).feeds
    assert (first.language, first.every, first.tags, first.enabled) == ("en", 3600, ("all",), False)
    assert (first.source.name, first.source.country) == ("Ex", "au")
    assert (second.language, second.every, second.tags, second.enabled) == (None, 900, (), True)
    assert (second.source.name, second.source.country) == ("Bee", "au")


def test_words_are_words(config: Path) -> None:
    """YAML 1.1 would make a boolean of Norway, and a sexagesimal number of a title."""
    (config / "feeds.yaml").write_text("""
feeds: [{url: "https://a.example/x", name: 24:00, source: {country: no}, tags: [on, 2026-01-01]}]
""")
    feed = load_settings(config).feeds[0]
    assert (feed.name, feed.source.country, feed.tags) == ("24:00", "no", ("on", "2026-01-01"))


def test_a_byte_order_mark_is_no_text(config: Path) -> None:
    (config / "feeds.yaml").write_bytes(b"\xef\xbb\xbffeeds: [{url: 'https://a.example/x'}]")
    assert [feed.id for feed in load_settings(config).feeds] == ["a.example-x"]


FEED = "feeds:\n  - url: https://example.org/feed\n    "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FEED + "evry: 15m", "feeds.yaml:3: feeds[0].evry: unknown key; did you mean 'every'?"),
        (
            FEED + "source:\n      contry: jp",
            "feeds[0].source.contry: unknown key; did you mean 'country'?",
        ),
        ("feeds: []\nzzz: 1", "feeds.yaml:2: zzz: unknown key; known: defaults, feeds"),
        ("defaults: {url: x}\nfeeds: []", "feeds.yaml:1: defaults.url: unknown key; known: source, language, every, "),
        (
            FEED + "every: 15",
            "feeds.yaml:3: feeds[0].every: 15 is no duration; use a whole number and s, m, h or d, as",
        ),
        (FEED + "every: soon", "feeds.yaml:3: feeds[0].every: 'soon' is no duration; "),
        (FEED + "every: 31d", "feeds.yaml:3: feeds[0].every: '31d' is out of range; use 1s to 30d"),
        (FEED + "every: 0s", "feeds.yaml:3: feeds[0].every: '0s' is out of range; "),
        (
            FEED + "source: {country: uk}",
            "feeds[0].source.country: 'uk' is no country; use two letters of ISO 3166-1; ",
        ),
        (FEED + "source: {country: Japan}", "feeds[0].source.country: 'Japan' is no country; use two letters of ISO"),
        (FEED + "source: {domain: 'http://a/'}", "feeds[0].source.domain: 'http://a/' is no domain; "),
        (FEED + "language: English (US)", "feeds[0].language: 'English (US)' is no language; "),
        (FEED + "enabled: perhaps", "feeds[0].enabled: must be true or false, not 'perhaps'"),
        (FEED + "name: 2024", "feeds[0].name: must be text, not 2024"),
        (FEED + "name: ''", "feeds[0].name: '' is no name; use some text on one line"),
        (FEED + "tags: asia", "feeds[0].tags: must be a list, not 'asia'"),
        (FEED + "tags: ['a,b']", "feeds[0].tags[0]: 'a,b' is no tag; it has a comma"),
        (FEED + "id: a/b", "feeds[0].id: 'a/b' is no id; use up to 120 letters, digits, dots, hyphens and underscores"),
        ("feeds:\n- id: x", "feeds.yaml:2: feeds[0].url: missing"),
        (
            "feeds:\n- url: /x",
            "feeds.yaml:2: feeds[0].url: '/x' is no address of a feed; use http://... or https://...",
        ),
        ("feeds:\n- url: ftp://a.example/x", "'ftp://a.example/x' is no address of a feed; "),
        ("feeds:\n- url: https://a.example:port/x", "is no address of a feed; "),
        ("feeds:\n- https://a.example/x", "feeds.yaml:2: feeds[0]: must be keys and values, not 'https://a.example/x'"),
        ("feeds: 3", "feeds.yaml:1: feeds: must be a list, not 3"),
        ("feeds:", "feeds.yaml:1: feeds: must be a list, not nothing"),
        ("- a", "feeds.yaml:1: must be keys and values, not a list"),
        ("", "feeds.yaml: the file is empty"),
        ("# nothing yet\n", "feeds.yaml: the file is empty"),
        ("feeds: [\n", "feeds.yaml:2: not valid YAML: while parsing a flow node, did not find expected node content"),
        ("feeds:\n\t- x", "feeds.yaml:2: not valid YAML: "),
        ("feeds: []\nfeeds: []", "feeds.yaml:2: feeds: given twice, first at line 1"),
        ("feeds: &a [*a]", "feeds.yaml:1: feeds[0]: an alias (*name) is not allowed; write the value out"),
        ("feeds: []\n---\nfeeds: []", "feeds.yaml:2: not valid YAML: expected a single document in the stream"),
        ("1: x", "feeds.yaml:1: a key must be text; put 1 in quotes"),
        ("? [a]\n: x", "feeds.yaml:1: a key must be text"),
        ("a: !!python/name:os.system x", "feeds.yaml:1: a: the tag tag:yaml.org,2002:python/name:os.system is not"),
        ("a: !!int x", "feeds.yaml:1: a: 'x' is no int"),
        ("a: " + "9" * 5000, "feeds.yaml:1: a: '999"),
        ("feeds: []\na: \x01", "feeds.yaml:2: not valid YAML: a control character"),
        ("[" * 100_000, "feeds.yaml:1: not valid YAML: while increasing flow level, exceeded maximum nesting depth"),
        (b"feeds: []\n# \xff", "feeds.yaml:2: not UTF-8 text"),
    ],
)
def test_a_wrong_feeds_file_names_line_and_key(config: Path, text: str | bytes, message: str) -> None:
    assert message in error_of(config, text)


def test_the_first_problem_is_shown_and_the_rest_counted(config: Path) -> None:
    text = FEED + "every: x\n    full_txt: true\n  - id: b\nwrong: 1"
    assert error_of(config, text).startswith("feeds.yaml:3: feeds[0].every: 'x' is no duration; ")
    assert error_of(config, text).endswith(" (and 3 more)")
    assert error_of(config, "zzz: 1\nfeeds: 3").startswith("feeds.yaml:1: zzz: unknown key; ")


def test_two_feeds_with_one_address_name_both_lines(config: Path) -> None:
    message = "feeds.yaml:5: feeds[2].url: 'https://a.example/x' is the url of the feed at line 2 too"
    text = "feeds:\n- url: https://a.example/x\n- url: https://b.example/\n- id: c\n  url: https://A.example/x"
    assert error_of(config, text) == message
    text = "feeds:\n- url: https://a.example/x\n- url: https://a.example/x"  # the ids that follow from it are no news
    assert error_of(config, text).endswith(" is the url of the feed at line 2 too")


def test_two_feeds_with_one_id_name_both_lines(config: Path) -> None:
    text = "feeds:\n- url: https://a.example/x\n  id: one\n- url: https://b.example/x\n  id: one"
    assert error_of(config, text).startswith("feeds.yaml:5: feeds[1].id: 'one' is the id of the feed at line 3 too; ")


def test_secrets_are_never_shown(config: Path) -> None:
    for text in (
        "feeds:\n- url: https://user:hunter2@a.example/",
        "feeds:\n- https://user:hunter2@a.example/",
        FEED + "credentials: user:hunter2",
        FEED + "credentials: [hunter2]",
        FEED + "credentials: {user: hunter2}",
        FEED + "source: https://user:hunter2@a.example/",
    ):
        assert "hunter2" not in error_of(config, text)
    assert "31337" not in error_of(config, FEED + "credentials: 31337")


@given(st.binary(max_size=300) | st.text("feds:-[]{}&*!|>'\"# \n\tuxl01,?%@`", max_size=80).map(str.encode))
@example(b"a: &a {b: 1}\nc: {<<: *a}")
@example(b"a: 1.0.0")
@example(b"a: .inf\nb: -.INF\nc: .nan")
@example(b"a: !!bool maybe")
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_document_or_one_line(data: bytes) -> None:
    class Model(BaseModel):
        feeds: list[int]

    try:
        parse_yaml(data, "FILE").validate(Model)
    except ConfigError as error:
        assert str(error).startswith("FILE") and len(str(error).splitlines()) == 1


@given(st.integers(1, 30 * 86400))
def test_durations_are_read_in_every_unit(seconds: int) -> None:
    for unit, size in {"s": 1, "m": 60, "h": 3600, "d": 86400}.items():
        if seconds % size == 0:
            assert parse_duration(f"{seconds // size}{unit}") == seconds


@given(st.text(max_size=8))
@example("1 m")
@example("-5m")
@example("٣m")
@example("1.5h")
def test_other_text_is_no_duration(text: str) -> None:
    try:
        assert 1 <= parse_duration(text) <= 30 * 86400
    except ValueError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/news/rss.xml", "example.org-news-rss.xml"),
        ("https://example.org/feed/", "example.org-feed"),
        ("https://www.example.org", "www.example.org"),
        ("https://example.org/feed?token=secret", "example.org-feed-310516d"),
    ],
)
def test_an_id_is_readable(url: str, expected: str) -> None:
    assert feed_id(url) == expected


def test_ids_of_addresses_that_look_alike_differ() -> None:
    urls = [
        f"{scheme}://{host}/feed{rest}"
        for scheme in ("http", "https")
        for host in ("example.org", "www.example.org", "example.org:8080", "bücher.example")
        for rest in ("", "?a=1", "?a=2", "%20x", "A", "a", "/日本", "x" * 200, "x" * 201)
    ]
    ids = [feed_id(url) for url in urls]
    assert len(set(ids)) == len(urls)
    assert all(len(item) <= 80 and item.isascii() and item == item.lower() for item in ids)


def test_opml_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(
        '<?xml version="1.0"?>\n<opml version="2.0"><body>\n<outline text="Asia">\n'
        '<outline type="rss" text="Example" xmlUrl="https://example.org/feed"/></outline></body></opml>'
    )
    feed = read_feeds(path)[0]
    assert (feed.id, feed.name, feed.tags) == ("example.org-feed", "Example", ("Asia",))


def test_a_wrong_address_in_opml_names_its_line(config: Path) -> None:
    text = '<opml><body>\n<outline text="a" xmlUrl="https://a.example/x"/>\n<outline xmlUrl="feed"/></body></opml>'
    assert "feeds.yaml:3: feeds[1].url: 'feed' is no address of a feed" in error_of(config, text)
    assert error_of(config, "<opml/>") == "feeds.yaml: no feeds in it; an outline with an xmlUrl is one"


# --- settings -----------------------------------------------------------------------------------------------------


def test_values_are_those_of_the_file_and_the_rest_defaults(config: Path) -> None:
    (config / "settings.yaml").write_text("""
fetch: {timeout: 5, allow_networks: [127.0.0.0/8, "::1"], per_host: 1}
models: {en: en_core_web_md, pt_BR: pt_core_news_sm}
max_failed: 1
""")
    values = load_settings(config)
    assert (values.fetch.timeout, values.fetch.connect_timeout, values.fetch.per_host) == (5, 10, 1)
    assert values.fetch.allow_networks == ("127.0.0.0/8", "::1/128")
    assert values.models == {"en": "en_core_web_md", "pt-br": "pt_core_news_sm"}
    assert (values.round_seconds, values.max_failed) == (60, 1)
    assert values.config_dir == str(config.absolute())


def test_settings_cross_process_borders_and_do_not_change(config: Path) -> None:
    values = load_settings(config)
    assert pickle.loads(pickle.dumps(values)) == values
    with pytest.raises(ValueError, match="frozen"):
        values.round_seconds = 1  # type: ignore[misc]
    hash(values.fetch)  # clients are cached by it


def test_the_commented_settings_are_the_defaults(repo: Path) -> None:
    """Each line of config/settings.yaml, uncommented, is what holds without it."""
    lines = (repo / "config/settings.yaml").read_text().splitlines()
    body = [line.removeprefix("#").removeprefix(" ") for line in lines[2:] if "NEWSBEAM_ALLOW" not in line]
    document = parse_yaml("\n".join(body).encode(), "settings.yaml")
    defaults = Settings(config_dir="").model_dump(mode="json", exclude={"feeds", "config_dir"})
    assert document.data == defaults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fetch:\n  time_out: 3", "settings.yaml:2: fetch.time_out: unknown key; did you mean 'timeout'?"),
        ("fetch: {timeout: 0}", "settings.yaml:1: fetch.timeout: "),
        ("fetch: {timeout: .inf}", "settings.yaml:1: fetch.timeout: must be a number, not inf"),
        ("fetch: {timeout: .nan}", "settings.yaml:1: fetch.timeout: must be a number, not nan"),
        ("fetch: {timeout: fast}", "settings.yaml:1: fetch.timeout: must be a number, not 'fast'"),
        ("fetch: {per_host: 1.5}", "settings.yaml:1: fetch.per_host: must be a whole number, not 1.5"),
        ("fetch: {user_agent: ünïcode}", "settings.yaml:1: fetch.user_agent: 'ünïcode' can't be sent; "),
        ('fetch: {user_agent: "a\\r\\nX: y"}', "settings.yaml:1: fetch.user_agent: "),
        (
            "fetch:\n  allow_networks:\n  - 10.0.0.0/8\n  - intranet",
            "settings.yaml:4: fetch.allow_networks[1]: 'int",
        ),
        (
            "fetch: {allow_networks: [127.0.0.1/8]}",
            "fetch.allow_networks[0]: '127.0.0.1/8' is no network; use an address",
        ),
        (
            "models: {english language: x}",
            "settings.yaml:1: models.english language: 'english language' is no",
        ),
        ("max_failed: 20", "settings.yaml:1: max_failed: "),
        ("pool: 4", "settings.yaml:1: pool: must be keys and values, not 4"),
    ],
)
def test_wrong_settings_name_line_and_key(config: Path, text: str, message: str) -> None:
    assert message in error_of(config, text, "settings.yaml")


def test_the_environment_adds_networks(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config / "settings.yaml").write_text("fetch: {allow_networks: [10.0.0.0/8]}")
    monkeypatch.setenv("NEWSBEAM_ALLOW_NETWORKS", " 127.0.0.0/8, 10.0.0.0/8,")
    assert load_settings(config).fetch.allow_networks == ("10.0.0.0/8", "127.0.0.0/8")
    monkeypatch.setenv("NEWSBEAM_ALLOW_NETWORKS", "localhost")
    with pytest.raises(ConfigError, match=r"^NEWSBEAM_ALLOW_NETWORKS: 'localhost' is no network; "):
        load_settings(config)


def test_missing_files(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^elsewhere: no such directory$"):
        load_settings(Path("elsewhere"))
    with pytest.raises(ConfigError, match=r"^other\.yaml: no such file$"):
        load_settings(config, Path("other.yaml"))
    with pytest.raises(ConfigError, match=r"^config: Is a directory$"):
        load_settings(config, config)
    (config / "feeds.yaml").unlink()
    with pytest.raises(ConfigError, match=r"^config/feeds\.yaml: no such file$"):
        load_settings(config)
    assert load_settings(config, with_feeds=False).feeds == ()


def test_the_pool_has_at_most_four_processes_by_default() -> None:
    assert 1 <= PoolSettings().count() <= 4
    assert PoolSettings(processes=7).count() == 7


def test_the_default_directory(config: Path, monkeypatch: pytest.MonkeyPatch, repo: Path) -> None:
    assert default_config_dir() == Path("config")
    (config / "feeds.yaml").rename(config / "topics.yaml")
    assert default_config_dir() == Path("config")
    (config / "topics.yaml").unlink()
    assert default_config_dir().resolve() == repo / "config"


def test_what_is_shipped_is_valid(repo: Path) -> None:
    assert load_settings(repo / "config").feeds


def test_countries_are_pairs_of_letters() -> None:
    assert len(COUNTRIES) == 249
    assert all(len(code) == 2 and code.isalpha() and code.islower() for code in COUNTRIES)


@given(st.ip_addresses().flatmap(lambda ip: st.integers(0, ip.max_prefixlen).map(lambda size: f"{ip}/{size}")))
@settings(deadline=None)
def test_networks_are_kept_as_they_are_or_refused(text: str) -> None:
    document = parse_yaml(f"fetch: {{allow_networks: ['{text}'], timeout: 20}}\nconfig_dir: x".encode(), "FILE")
    try:
        kept = document.validate(Settings).fetch.allow_networks
    except ConfigError as error:
        assert "has host bits set" not in str(error)
        assert str(ipaddress.ip_network(text, strict=False)) != text
    else:
        assert kept == (str(ipaddress.ip_network(text)),)


# --- credentials --------------------------------------------------------------------------------------------------


def feed(credentials: str | None) -> Feed:
    return Feed("f", "https://example.org/", "f", Source("s"), credentials=credentials)


def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN", "Aladdin:open sesame")  # the example of RFC 7617
    monkeypatch.setenv("TOKEN", "mF_9.B5f-4.1JqM")  # the example of RFC 6750
    login, token = credentials_for(feed("LOGIN")), credentials_for(feed("TOKEN"))
    assert login and login.header == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert token and token.header == "Bearer mF_9.B5f-4.1JqM"
    assert "mF_9" not in repr(token) and "mF_9" not in str(token)
    assert credentials_for(feed(None)) is None


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "a\x00b", "ключ"])
def test_credentials_that_can_not_be_sent_are_a_failure_of_that_feed(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    if value is not None and "\x00" not in value:
        monkeypatch.setenv("TOKEN", value)
    with pytest.raises(FetchError) as caught:
        credentials_for(feed("TOKEN"))
    assert caught.value.reason == "no_credentials"
    assert not value or not value.strip() or value not in str(caught.value)
