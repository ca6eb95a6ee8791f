from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.documents import READERS, digest_of, find, read


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_markdown_file_becomes_chunks_with_spans(tmp_path: Path) -> None:
    text = "# Peru\n\nLima is the capital. It is large."
    document = read(write(tmp_path / "guide.md", text))
    (piece,) = document.pieces
    assert (piece.title, text[piece.start : piece.end]) == ("Peru", piece.text)
    assert piece.source == f"guide.md:{piece.start}-{piece.end}"


def test_a_document_knows_its_file_and_its_content(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md", "---\nauthor: Ana\n---\nLima.")
    document = read(file, "guides/a.md")
    assert (document.name, document.origin, document.metadata) == ("guides/a.md", str(file), {"author": "Ana"})
    assert document.pieces[0].source.startswith("guides/a.md:")
    assert document.digest == digest_of(file.read_bytes()) != digest_of(b"")


@pytest.mark.parametrize("ending", sorted(READERS))
def test_an_empty_file_says_nothing(tmp_path: Path, ending: str) -> None:
    document = read(write(tmp_path / f"a{ending}", ""))
    assert (document.pieces, document.facts) == ((), ())


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".MD", "Peru borders Chile."),
        (".htm", "<p>Peru borders Chile."),
        (".tsv", "country\tborders\nPeru\tChile\n"),
        (".json", '{"name": "Peru", "borders": "Chile"}'),
        (".ndjson", None),
        (".nt", "<x:Peru> <x:borders> <x:Chile> ."),
    ],
)
def test_an_ending_says_what_a_file_is(tmp_path: Path, ending: str, content: str | None) -> None:
    file = write(tmp_path / f"a{ending}", content or "x")
    if content is None:
        with pytest.raises(UnderstudyError, match="cannot be read; use one of .*graphml"):
            read(file)
    else:
        document = read(file)
        said = [p.text for p in document.pieces] + [str(f) for f in document.facts]
        assert any(text.endswith(("borders Chile", "borders Chile.")) for text in said)


@pytest.mark.parametrize("ending", sorted(set(READERS) - {".pdf"}))
def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"a{ending}").write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(UnderstudyError, match=rf"a\{ending}:2: not UTF-8"):
        read(tmp_path / f"a{ending}")


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"none\.md: No such file"):
        read(tmp_path / "none.md")


def test_folders_and_globs_are_found_and_namesakes_told_apart(tmp_path: Path) -> None:
    for place in ("x/readme.md", "y/readme.md", "y/notes.txt", "y/photo.png"):
        write(tmp_path / place, "Text.")
    assert list(find([tmp_path])) == ["x/readme.md", "notes.txt", "y/readme.md"]
    assert list(find([str(tmp_path / "y" / "*.md"), tmp_path / "y"])) == ["readme.md", "notes.txt"]
    for missing in ("none.md", "*.none", "x/../empty"):
        with pytest.raises(UnderstudyError, match="file"):
            find([tmp_path / missing])
