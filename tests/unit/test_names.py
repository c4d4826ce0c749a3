"""Personal names: the family's first where it is known to be East Asian, either order found, no name at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import ConfigError
from newsbeam.names import Names, family_first, load_names, other_order


@pytest.fixture(scope="module")
def names(repo: Path) -> Names:
    return load_names(repo / "config")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Fumio Kishida", "Kishida Fumio"),
        ("Kishida Fumio", "Kishida Fumio"),
        ("Shigeru Ishiba", "Ishiba Shigeru"),
        ("Jae-in Moon", "Moon Jae-in"),
        ("Moon Jae-in", "Moon Jae-in"),
        ("Ing-wen Tsai", "Tsai Ing-wen"),
        ("Jinping Xi", "Xi Jinping"),
        ("Mao Ning", "Mao Ning"),
        ("Kim Jong Un", "Kim Jong Un"),
        ("Jack Ma", "Jack Ma"),
        ("Andrew Yang", "Andrew Yang"),
        ("Carrie Lam", "Carrie Lam"),
        ("Tim Cook", "Tim Cook"),
        ("Jens Stoltenberg", "Jens Stoltenberg"),
        ("Robert Park", "Robert Park"),
        ("Stoltenberg", "Stoltenberg"),
        ("", ""),
    ],
)
def test_the_family_name_is_first_where_it_is_east_asian(names: Names, written: str, canonical: str) -> None:
    assert family_first(written, names) == canonical


def test_the_other_order_is_that_of_names_which_would_be_turned_round(names: Names) -> None:
    assert other_order("Kishida Fumio", names) == "Fumio Kishida"
    assert other_order("Moon Jae-in", names) == "Jae-in Moon"
    assert other_order("Jens Stoltenberg", names) is None
    assert other_order("Kim Jong Un", names) is None


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert load_names(tmp_path) == Names()
    assert family_first("Fumio Kishida", Names()) == "Fumio Kishida"


def test_a_wrong_file_says_where(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("given: Ann\nsurnames: [A]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"names\.yaml:2\b.*surnames"):
        load_names(tmp_path)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(["Kishida", "Fumio", "Moon", "Jae-in", "Li", "Wei", "Ann", "Lee", "Sato", "An"]), max_size=3
    )
)
def test_turning_round_twice_is_turning_round_once(names: Names, words: list[str]) -> None:
    once = family_first(" ".join(words), names)
    assert sorted(once.split()) == sorted(words)
    assert family_first(once, names) == once
