"""The job's code as an archive."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from headrace import source_archive
from headrace.errors import InvalidInput


def _names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with a script, a module and what does not belong into an image."""
    folder = tmp_path / "src"
    for name in ("train.py", "package/module.py", "__pycache__/train.pyc", ".git/config"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def test_code_is_shipped_and_caches_are_not(code: Path) -> None:
    """Scripts and modules travel; .git and __pycache__ stay."""
    assert _names(source_archive.build(code)) == ["package/module.py", "train.py"]


def test_the_same_folder_gives_the_same_bytes(code: Path) -> None:
    """Times of files do not change the archive."""
    first = source_archive.build(code)
    os.utime(code / "train.py", (1, 1))
    assert source_archive.build(code) == first


def test_a_link_out_of_the_folder_is_refused(code: Path, tmp_path: Path) -> None:
    """A link could ship a private key."""
    (tmp_path / "secret").write_text("secret")
    (code / "harmless.txt").symlink_to(tmp_path / "secret")
    _refused(code, "'harmless.txt', a link to")


def _refused(code: Path, expected: str) -> None:
    """Before anything is uploaded, and again should the folder have changed since."""
    (problem,) = source_archive.find_problems(code, "train.py")
    assert expected in str(problem)
    with pytest.raises(InvalidInput) as caught:
        source_archive.build(code)
    assert caught.value.problems == (str(problem),)


def test_a_link_to_a_folder_is_refused_and_one_to_a_file_is_shipped(code: Path) -> None:
    """What lies in a linked folder would be missing, in silence."""
    (code / "same.py").symlink_to(code / "train.py")
    assert _names(source_archive.build(code)) == ["package/module.py", "same.py", "train.py"]
    (code / "alias").symlink_to(code / "package")
    _refused(code, "'alias', a link to")


def test_a_folder_of_data_is_refused(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data belongs into a channel."""
    monkeypatch.setattr(source_archive, "MAX_BYTES", 10)
    _refused(code, "move data out of it")


@pytest.mark.parametrize(
    ("entry_point", "expected"),
    [
        ("missing.py", "allowed: a file in source_dir"),
        ("../secret.py", "allowed: a script inside source_dir"),
        ("/etc/passwd", "allowed: a script inside source_dir"),
        ("-c", "allowed: a script inside source_dir"),
        ("package", "allowed: a file in source_dir"),
        ("__pycache__/train.pyc", "which are not shipped"),
    ],
)
def test_an_entry_point_that_is_no_script_of_the_folder_is_named(code: Path, entry_point: str, expected: str) -> None:
    """Typos and paths that lead out are found before anything is uploaded."""
    assert expected in "".join(map(str, source_archive.find_problems(code, entry_point)))


def test_a_good_entry_point_has_no_problem(code: Path) -> None:
    """Also in a sub-folder."""
    assert source_archive.find_problems(code, "train.py") == []
    assert source_archive.find_problems(code, "package/module.py") == []


def test_dependencies_lie_beside_the_script(code: Path, tmp_path: Path) -> None:
    """A file by its name, a folder with what is in it."""
    (tmp_path / "shared" / "deep").mkdir(parents=True)
    (tmp_path / "shared" / "deep" / "one.py").write_text("1")
    (tmp_path / "ingest.py").write_text("2")
    dependencies = [tmp_path / "ingest.py", tmp_path / "shared"]
    assert source_archive.find_problems(code, "train.py", dependencies) == []
    names = ["ingest.py", "package/module.py", "shared/deep/one.py", "train.py"]
    assert _names(source_archive.build(code, dependencies)) == names


def test_a_dependency_that_is_a_link_keeps_its_name(code: Path, tmp_path: Path) -> None:
    """The script imports it by that name."""
    (tmp_path / "shared_v2.py").write_text("1")
    (tmp_path / "shared.py").symlink_to(tmp_path / "shared_v2.py")
    assert "shared.py" in _names(source_archive.build(code, [tmp_path / "shared.py"]))


def test_every_dependency_that_cannot_be_shipped_is_named(code: Path, tmp_path: Path) -> None:
    """One that is missing, one whose name is taken by the code, two of one name."""
    for name in ("train.py", "a/x.py", "b/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    wrong = [tmp_path / "nix.py", tmp_path / "train.py", tmp_path / "a/x.py", tmp_path / "b/x.py"]
    problems = source_archive.find_problems(code, "train.py", wrong)
    assert [
        name for problem in problems for name in ("nix.py", "train.py", "b/x.py") if f"{name}';" in str(problem)
    ] == [
        "nix.py",
        "train.py",
        "b/x.py",
    ]
