import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.graphml import graphml
from understudy.knowledge.results import Fact

GRAPH = """<?xml version="1.0" encoding="utf-16"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k0" for="node" attr.name="name" attr.type="string"/>
<key id="k1" for="node" attr.name="population" attr.type="long"/>
<key id="k2" for="edge" attr.name="relation" attr.type="string"/>
<key id="k3" for="edge" attr.name="valid_from" attr.type="string"/>
<key id="k4" for="edge" attr.name="source" attr.type="string"/>
<key id="k5" for="node" attr.name="literal" attr.type="boolean"/>
<graph edgedefault="directed">
<node id="n0"><data key="k0">Peru</data><data key="k1">33</data></node>
<node id="Lima"/>
<node id="n2"><data key="k0">Firm
and happy</data><data key="k5">true</data></node>
{edges}
</graph></graphml>"""


def read(edges: str = "", graph: str = GRAPH) -> list[Fact]:
    reading = graphml(graph.replace("{edges}", edges).encode(), "g.graphml", "g.graphml")
    assert not reading.pieces
    return list(reading.facts)


def test_attributes_of_nodes_are_values() -> None:
    assert read() == [Fact("Peru", "population", "33", "g.graphml#n0", literal=True)]


@pytest.mark.parametrize(
    ("edge", "fact"),
    [
        ('<edge source="n0" target="Lima"/>', Fact("Peru", "related_to", "Lima", "g.graphml#n0-Lima")),
        ('<edge id="e7" source="n0" target="Lima"/>', Fact("Peru", "related_to", "Lima", "g.graphml#n0-Lima")),
        ('<edge id="has seat" source="n0" target="Lima"/>', Fact("Peru", "has_seat", "Lima", "g.graphml#n0-Lima")),
        (
            '<edge id="x" source="n0" target="Lima"><data key="k2">capital</data><data key="k3">1821-07-28</data>'
            '<data key="k4">atlas</data></edge>',
            Fact("Peru", "capital", "Lima", "atlas", valid_from="1821-07-28"),
        ),
        (
            '<edge id="motto" source="n0" target="n2"/>',
            Fact("Peru", "motto", "Firm\nand happy", "g.graphml#n0-n2", literal=True),
        ),
    ],
)
def test_an_edge_is_a_fact(edge: str, fact: Fact) -> None:
    assert read(edge)[-1] == fact


def test_parallel_edges_are_facts_of_their_own() -> None:
    two = '<edge id="capital" source="n0" target="Lima"/><edge id="seat" source="n0" target="Lima"/>'
    assert [f.relation for f in read(two)[1:]] == ["capital", "seat"]


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (
            '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<graphml/>',
            "g.graphml:2: it declares a document type",
        ),
        ("<graphml>\n<graph", "g.graphml:2:"),
        ("not xml", "g.graphml:1:1: not XML"),
        ("<html/>", "g.graphml: not GraphML"),
        (GRAPH.replace("33", "many"), "g.graphml: not GraphML: ValueError"),
        (GRAPH.replace('key="k1"', 'key="k9"'), "g.graphml: not GraphML: Bad GraphML data: no key k9"),
        (
            GRAPH.replace("{edges}", '<edge source="n0" target="Lima"><data key="k3">soon</data></edge>'),
            "g.graphml#n0-Lima: not a date or time: 'soon'",
        ),
    ],
)
def test_a_malformed_graph_is_told(graph: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(graph=graph)
    assert said in str(caught.value)
