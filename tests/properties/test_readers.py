"""Whatever bytes a file holds: a reader makes passages and facts that a store can take, or an UnderstudyError."""

import json
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.knowledge.documents import READERS
from understudy.knowledge.text import key_of

# What each format is made of, so that the fuzzing gets beyond the first letter.
PARTS = {
    ".md": ["---\n", "a: b\n", "- &x [1]\n", "*x", "# H\n", "```\n", "[a](b)", "![", "\n\n", "!!int ''\n",
            "? [1]\n", "\r\n"],
    ".html": ["<p>", "<h1>", "</h1>", "<a href=x>", "</a>", "<pre>", "<![x[", "<!--", "&#xD800;", "<title>", "<nav>",
              "<"],
    ".csv": ["title,text\n", "subject,relation,object,valid_from\n", '"', ",", "\n", "\x00", "2020-01-01", ";", "name"],
    ".json": ["[", "]", "{", "}", '"title"', '"text"', '"name"', ":", ",", "1e999", '"\\ud800"', "null", "NaN", "true"],
    ".nt": ["<x:a> ", "_:b ", '"c"', "@en", "^^", " .", "\n", "\\u0041", "#", "<", '"', "\\"],
    ".graphml": [
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">', "</graphml>", '<graph edgedefault="directed">',
        "</graph>",
        '<node id="a"/>', '<edge source="a" target="b"/>', '<key id="k" for="node" attr.name="n" attr.type="int"/>',
        '<node id="c"><data key="k">x</data></node>', "<hyperedge/>",
    ],
    ".pdf": ["%PDF-1.4\n", "1 0 obj\n", "<< /Type /Catalog /Pages 2 0 R >>", "endobj\n", "xref\n0 1\n", "trailer\n",
             "<< /Root 1 0 R /Encrypt 1 0 R >>", "startxref\n9\n", "%%EOF\n", "stream\n", "endstream\n"],
}  # fmt: skip
ALIKE = {".markdown": ".md", ".htm": ".html", ".tsv": ".csv", ".jsonl": ".json", ".txt": ".md"}


@pytest.mark.filterwarnings("ignore::UserWarning:networkx")
@pytest.mark.parametrize("ending", sorted(READERS))
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_reader_reads_or_tells_what_is_wrong(ending: str, data: st.DataObject) -> None:
    known = st.sampled_from(PARTS[ALIKE.get(ending, ending)])
    made = st.lists(known | st.text(max_size=4), max_size=12).map(lambda parts: "".join(parts).encode())
    content = data.draw(made | st.binary(max_size=60))
    try:
        reading = READERS[ending](content, f"a{ending}", f"a{ending}")
    except UnderstudyError as error:
        assert f"a{ending}" in str(error)
        return
    json.dumps(dict(reading.metadata), allow_nan=False).encode()
    for piece in reading.pieces:
        assert piece.text.strip() and piece.source.startswith(f"a{ending}")
        assert len(piece.text) == piece.end - piece.start
        json.dumps([piece.title, piece.headings, piece.links, dict(piece.metadata)], allow_nan=False)
        sqlite3.connect(":memory:").execute("SELECT ?, ?, ?", (piece.title, piece.text, piece.source))
    for fact in reading.facts:
        assert key_of(fact.subject) and fact.relation and fact.object.strip() and fact.source
        assert fact.literal or key_of(fact.object)
        str(fact).encode()


@given(
    st.lists(st.sampled_from(["# H", "One. Two.", "", "---", "a: b", "[x](y) é", "```", "===", "Title"]), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_spans_of_markdown_are_those_of_the_file(lines: list[str], end: str, marked: bool) -> None:
    text = end.join(lines)
    try:
        reading = READERS[".md"](text.encode("utf-8-sig" if marked else "utf-8"), "a.md", "a.md")
    except UnderstudyError:
        return
    assert all(text[p.start : p.end] == p.text for p in reading.pieces)
