from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.documents import find, read


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


def test_a_row_with_title_and_text_is_a_passage(tmp_path: Path) -> None:
    table = read(write(tmp_path / "briefs.csv", 'title,text\nPeru,"Lima, the capital."\nChile,Santiago.\n'))
    lines = read(
        write(tmp_path / "b.jsonl", '{"title": "Peru", "text": "One."}\n\n{"title": "Peru", "text": "Two.", "x": 1}\n')
    )
    assert [(p.title, p.text, p.source) for p in table.pieces] == [
        ("Peru", "Lima, the capital.", "briefs.csv#Peru"),
        ("Chile", "Santiago.", "briefs.csv#Chile"),
    ]
    assert [p.source for p in lines.pieces] == ["b.jsonl#1", "b.jsonl#2"], "a title that occurs twice names no row"


def test_a_row_with_subject_relation_object_is_a_fact(tmp_path: Path) -> None:
    (own, given) = read(
        write(tmp_path / "t.csv", "subject,relation,object,source\nPeru,borders,Chile,\nChile,borders,Peru,atlas\n")
    ).facts
    assert (str(own), own.source) == ("Peru borders Chile", "t.csv#1")
    assert given.source == "atlas"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "name,size\nx,1\n", "a.csv:1: the columns are name, size"),
        ("a.csv", "title,text\nPeru,one,two\n", "a.csv:2: 3 cells under 2 columns"),
        ("a.csv", "subject,relation,object\nPeru,,Chile\n", "a.csv#1: a fact lacks"),
        ("a.jsonl", '{"title": "x", "text": "y"}\n{"title"\n', "a.jsonl:2:"),
        ("a.jsonl", '["x"]\n', 'a.jsonl:1: not an object with the texts "title" and "text"'),
        ("a.exe", "x", "files ending in .exe cannot be read"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(write(tmp_path / name, content))
    assert said in str(caught.value)


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(UnderstudyError, match=r"a\.md:2: not UTF-8"):
        read(tmp_path / "a.md")


def test_folders_and_globs_are_found_and_namesakes_told_apart(tmp_path: Path) -> None:
    for place in ("x/readme.md", "y/readme.md", "y/notes.txt", "y/photo.png"):
        write(tmp_path / place, "Text.")
    assert list(find([tmp_path])) == ["x/readme.md", "notes.txt", "y/readme.md"]
    assert list(find([str(tmp_path / "y" / "*.md"), tmp_path / "y"])) == ["readme.md", "notes.txt"]
    for missing in ("none.md", "*.none", "x/../empty"):
        with pytest.raises(UnderstudyError, match="file"):
            find([tmp_path / missing])
