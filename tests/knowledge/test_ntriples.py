import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.ntriples import ALIAS, LABEL, TYPE, ntriples
from understudy.knowledge.results import Fact


def read(text: str) -> list[Fact]:
    reading = ntriples(text.encode(), "g.nt", "g.nt")
    assert not reading.pieces
    return list(reading.facts)


def test_iris_are_called_by_their_last_part_or_label() -> None:
    facts = read(f"""# a graph
<http://x.org/S%C3%A3o_Tom%C3%A9> <http://x.org/p#partOf> <http://x.org/q/> .\t# comment
<http://x.org/Q419><http://x.org/capital><urn:city:Lima>.

<http://x.org/Q419> <{LABEL}> "P\\u00e9rou"@fr .
<http://x.org/Q419> <{LABEL}> "Peru"@en-GB .
<http://x.org/Q419> <{ALIAS}> "Republic of Peru" .
<http://x.org/Q419> <{TYPE}> <http://x.org/Class_of_Country> .
""")
    assert facts == [
        Fact("São Tomé", "partOf", "q", "g.nt#2"),
        Fact("Peru", "capital", "Lima", "g.nt#3"),
        Fact("Peru", "also_called", "Pérou", "g.nt#5", literal=True),
        Fact("Peru", "also_called", "Republic of Peru", "g.nt#7", literal=True),
        Fact("Peru", "is_a", "Class of Country", "g.nt#8", literal=True),
    ]


def test_literals_are_values() -> None:
    facts = read(
        '<x:a> <x:n> "33"^^<http://www.w3.org/2001/XMLSchema#integer> .\r\n'
        '<x:a> <x:t> "a \\"b\\"\\n\\\\ \\U0001F600"@en .\r<x:a> <x:empty> "" .\n'
    )
    assert facts == [
        Fact("a", "n", "33", "g.nt#1", literal=True),
        Fact("a", "t", 'a "b"\n\\ \U0001f600', "g.nt#2", literal=True),
    ]


def test_a_blank_node_is_a_name_of_its_file_only() -> None:
    assert read("_:b.0 <x:in> _:c .") == [Fact("_:b.0 of g.nt", "in", "_:c of g.nt", "g.nt#1")]
    assert read(f'_:b <x:in> <x:c> .\n_:b <{LABEL}> "Bay" .')[0].subject == "Bay"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<x:a> <x:b> <x:c>", "g.nt:2:18: not N-Triples: a triple ends with a full stop"),
        ("<x:a> <x:b> <x:c> . <x:d>", "g.nt:2:21: not N-Triples: only a comment"),
        ("<x:a> <x:b>", "g.nt:2:12: not N-Triples: the object is not"),
        ("<x:a> _:b <x:c> .", "g.nt:2:7: not N-Triples: the predicate is not an IRI"),
        ('"a" <x:b> <x:c> .', "g.nt:2:1: not N-Triples: the subject is not"),
        ("<a> <x:b> <x:c> .", "g.nt:2:2: not N-Triples: an IRI begins with its scheme"),
        ("<x:a b> <x:b> <x:c> .", "g.nt:2:1: not N-Triples: the subject is not"),
        ('<x:a> <x:b> "c .', "g.nt:2:13: not N-Triples: the object is not"),
        ('<x:a> <x:b> "c\\x" .', "g.nt:2:15: not N-Triples: \\x stands for no letter"),
        ('<x:a> <x:b> "\\uD83D" .', "g.nt:2:14: not N-Triples: \\uD83D stands for no letter"),
        ("<x:a\\n> <x:b> <x:c> .", "g.nt:2:5: not N-Triples: \\n stands for no letter"),
        ('<x:a> <x:b> "c"^^<int> .', "g.nt:2:19: not N-Triples: an IRI begins"),
        ('<x:a> <x:b> "c"^^<x:int .', "g.nt:2:18: not N-Triples: the type of a value is no IRI"),
        ("@prefix x: <http://x.org/> .", "N-Triples has no prefixes; convert Turtle first"),
    ],
)
def test_a_malformed_line_is_told_with_its_column(line: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(f"# first\n{line}\n")
    assert said in str(caught.value).replace("; write", " ; write")
