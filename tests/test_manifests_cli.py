"""``headrace manifest`` with files and standard streams: what is written, what is refused, and what is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from headrace.cli.manifest import app
from headrace.errors import InvalidInput
from typer.testing import CliRunner


def run(*arguments: str, given: bytes = b"") -> Result:
    """One call of the command."""
    return CliRunner().invoke(app, list(arguments), input=given)


def refusal(result: Result) -> str:
    """What the user is told."""
    assert isinstance(result.exception, InvalidInput), result.output
    assert result.exception.exit_code == 2
    return str(result.exception)


def entries(path: Path) -> list[str]:
    """The URIs that a manifest names."""
    first, *relative = json.loads(path.read_bytes())
    return [first["prefix"] + entry for entry in relative]


def test_a_list_becomes_a_manifest_below_its_common_folder(tmp_path: Path) -> None:
    """Line ends of either kind, empty lines, names that begin alike."""
    output = tmp_path / "out.manifest"
    result = run("create", str(output), "--from", "-", given=b"s3://lake/a/car/1\r\n\ns3://lake/a/cat/2\ns3://lake/a/c")
    assert result.exit_code == 0, result.output
    assert json.loads(output.read_bytes()) == [{"prefix": "s3://lake/a/"}, "car/1", "cat/2", "c"]
    assert "3 objects in" in result.stderr
    assert result.stdout == ""


def test_keys_are_joined_to_the_prefix_that_is_given(tmp_path: Path) -> None:
    """Keys and URIs may be mixed; the prefix is kept though they share more."""
    output = tmp_path / "out.manifest"
    arguments = ("--list", "-", "--prefix", "s3://lake/a/")
    assert run("create", str(output), *arguments, given=b"b/1\ns3://lake/a/b/2\n").exit_code == 0
    assert json.loads(output.read_bytes()) == [{"prefix": "s3://lake/a/"}, "b/1", "b/2"]


def test_a_nul_separated_list_holds_any_key(tmp_path: Path) -> None:
    """Also one with line breaks."""
    output = tmp_path / "out.manifest"
    assert (
        run("create", str(output), "--from", "-", "--null", given=b's3://lake/a\n"b"\r\0s3://lake/c\0').exit_code == 0
    )
    assert entries(output) == ['s3://lake/a\n"b"\r', "s3://lake/c"]


def test_all_mistakes_of_a_list_are_reported_and_nothing_is_left(tmp_path: Path) -> None:
    """The manifest that was there stays."""
    output = tmp_path / "out.manifest"
    output.write_text("before")
    given = b"s3://lake/a\nplain\ns3://other/a\ns3://lake/a//b\n\xff\ns3://lake/\ns3://L/a\n" + b"x" * 5000
    told = refusal(run("create", str(output), "--from", "-", given=given)).splitlines()
    assert [line.split()[1] for line in told] == ["2", "3", "4", "5", "6", "7", "8"]
    assert all("; fix: " in line for line in told)
    assert told[0].startswith("item 2 is 'plain'; ")
    assert "item 5 is '\\\\xff'; allowed: UTF-8" in told[3]
    assert output.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["out.manifest"]


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    """Twenty in words."""
    told = refusal(run("create", str(tmp_path / "out"), "--from", "-", given=b"x\n" * 1020)).splitlines()
    assert len(told) == 21
    assert told[-1] == "and 1,000 more such mistakes"


LABELS = 'image,label,width,note\nb/1.jpg,cat,3,"a ""b"", c"\ns3://lake/2.jpg,7,2.5,\n'


def test_labels_become_an_augmented_manifest(tmp_path: Path) -> None:
    """Numbers stay numbers where asked, and text stays text."""
    table, output = tmp_path / "labels.csv", tmp_path / "out.manifest"
    table.write_text("\ufeff" + LABELS, encoding="utf-8")
    options = ("--labels", str(table), "--prefix", "s3://lake/", "--reference-column", "image", "--numbers", "width")
    assert run("create", str(output), *options).exit_code == 0
    assert [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()] == [
        {"source-ref": "s3://lake/b/1.jpg", "label": "cat", "width": 3, "note": 'a "b", c'},
        {"source-ref": "s3://lake/2.jpg", "label": "7", "width": 2.5, "note": ""},
    ]
    assert run("check", str(output), "--attribute-names", "source-ref,label", "--no-objects").exit_code == 0


@pytest.mark.parametrize(
    ("table", "options", "told"),
    [
        (b"", (), "labels have no rows; allowed: a line of names, and one for each object"),
        (b"image,label\n", (), "column is 'source-ref'; allowed: 'image', 'label'"),
        (b"source-ref\ns3://lake/a\n", ("--numbers", "label"), "column is 'label'"),
        (b"source-ref,a,a\ns3://lake/a,1,2\n", (), "columns are"),
        (b"source-ref,image\n", ("--reference-column", "image"), "columns are"),
        (b"source-ref,a\n", (), "labels have no rows"),
        (b"source-ref,a\ns3://lake/a\n", (), "line 2 has 1 columns; allowed: 2"),
        (b"source-ref,a\ns3://lake/a,1\nlake/b,1\n", (), "line 3 refers to 'lake/b'"),
        (b"source-ref,a\ns3://lake/a//b,1\n", (), "reference on line 2 is 's3://lake/a//b', an empty folder name"),
        (b"source-ref,a\ns3://lake/a,nan\n", ("--numbers", "a"), "line 2, a, is 'nan'; allowed: a number"),
        (b"source-ref,a\ns3://lake/a,\n", ("--numbers", "a"), "line 2, a, is ''; allowed: a number"),
        (b'source-ref,a\ns3://lake/a,"b\n', (), "labels, line 2: "),
        (b"source-ref,a\ns3://lake/a,\xff\n", (), "no UTF-8"),
        (b"source-ref,a\ns3://lake/a," + b"x" * 200_000, (), "labels, line 2: "),
    ],
)
def test_wrong_labels_are_refused(table: bytes, options: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """With the line, and without a file."""
    assert told in refusal(run("create", str(tmp_path / "out"), "--labels", "-", *options, given=table))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("out",), "no objects are named"),
        (("out", "--labels", "-", "--from", "-"), "--labels and --from are both given"),
        (("out", "--from", "-", "--suffix", ".jpg"), "--suffix is given"),
        (("out", "--prefix", "lake/a"), "prefix is 'lake/a'; allowed: s3://bucket/folder/"),
        (("out", "--from", "nowhere"), "input is 'nowhere': No such file"),
        (("nowhere/out", "--from", "-"), "output is 'nowhere/out': No such file"),
        (("out", "--from", "-"), "no objects to name"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, before anything is written."""
    monkeypatch.chdir(tmp_path)
    assert told in refusal(run("create", *arguments))
    assert list(tmp_path.iterdir()) == []


def test_standard_output_gets_the_manifest_alone() -> None:
    """What is told goes to standard error."""
    result = run("create", "-", "--from", "-", given=b"s3://lake/a\n")
    assert json.loads(result.stdout) == [{"prefix": "s3://lake/"}, "a"]


def test_one_object_is_one_object(tmp_path: Path) -> None:
    """Made and checked."""
    output = tmp_path / "out.manifest"
    assert run("create", str(output), "--from", "-", given=b"s3://lake/a").stderr == f"1 object in {output}\n"
    assert run("check", str(output), "--no-objects").stdout.startswith(f"{output}: 1 object named, ")


def test_a_check_says_what_is_wrong_in_words_and_as_json(tmp_path: Path) -> None:
    """Exit code 1; every mistake with its rule, its count and its places; escape sequences lose their power."""
    path = tmp_path / "some.manifest"
    path.write_text(json.dumps([{"prefix": "s3://lake/"}, "a//\x1b]0;x\x07", "b//c", "d", "d"]))
    told = run("check", str(path), "--no-objects")
    assert told.exit_code == 1
    assert f"V94 ERROR: {path} element 1 is " in told.stdout
    assert "    element 2: 's3://lake" not in told.stdout
    assert "    element 2: 'b//c'" in told.stdout
    assert "\x1b" not in told.stdout
    report = json.loads(run("check", str(path), "--no-objects", "--json").stdout)
    assert (report["errors"], report["references"], report["objects_looked_up"]) == (True, 4, False)
    assert [(each["rule_id"], each["level"], each["mistake"], each["total"]) for each in report["findings"]] == [
        ("V94", "ERROR", "empty-folder", 2),
        ("V94", "INFO", "control-character", 1),
        ("V95", "WARNING", "repeated-entry", 1),
    ]
    assert report["findings"][2]["places"] == [{"number": 4, "byte": None, "value": "s3://lake/d"}]


def test_a_check_of_nothing_exits_with_2(tmp_path: Path) -> None:
    """A file that is not there, and names that no job takes."""
    assert "No such file" in refusal(run("check", str(tmp_path / "none"), "--no-objects"))
    assert "attribute names" in refusal(run("check", "-", "--attribute-names", "a,,b"))
