import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.extraction import RuleExtractor
from understudy.knowledge.patterns import Patterns, RelationPattern
from understudy.knowledge.pieces import Piece

CAPITAL = RelationPattern("{subject} is the capital of {object}", "capital_of")
DIRECTED = RelationPattern("directed by {object}", "directed_by")


def stated(text: str, *patterns: RelationPattern, title: str = "A title") -> list[tuple[str, str, str]]:
    facts = Patterns(patterns).facts(Piece(title, text, "", 0, len(text)))
    return [(fact.subject, fact.relation, fact.object) for fact in facts]


def test_a_form_of_sentence_states_a_relation() -> None:
    text = "We know that São Tomé is the  capital\nof São Tomé and Príncipe. Lima is the capital of Peru's south."
    assert stated(text, CAPITAL) == [
        ("São Tomé", "capital_of", "São Tomé and Príncipe"),
        ("Lima", "capital_of", "Peru"),
    ]


def test_without_a_subject_it_is_about_the_title() -> None:
    assert stated("A film directed by Alfred Hitchcock.", DIRECTED, title="Vertigo") == [
        ("Vertigo", "directed_by", "Alfred Hitchcock")
    ]
    assert stated("It was undirected by Nobody.", DIRECTED) == [], "whole words only"
    assert stated("A film directed by Vertigo.", DIRECTED, title="Vertigo") == [], "nothing is related to itself"


def test_a_negation_and_small_letters_state_nothing() -> None:
    assert stated("Lima is not the capital of Chile. Lima never is the capital of Chile.", CAPITAL) == []
    assert stated("It is the capital of fashion.", CAPITAL) == []


@pytest.mark.parametrize("text", ["x = y", "{subject} {subject} {object} = z", "{object} =", "{object}", ""])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(UnderstudyError, match="not a pattern"):
        RelationPattern.parsed(text)


def test_a_pattern_as_it_is_written_on_a_command_line() -> None:
    assert RelationPattern.parsed("{subject} is the capital of {object}=capital_of") == CAPITAL


def test_what_a_pattern_found_dies_with_its_passage() -> None:
    with KnowledgeStore.open(":memory:", "hashed", RuleExtractor([CAPITAL])) as store:
        (one,) = store.add_passages([Passage("Peru", "Lima is the capital of Peru.")])
        (fact,) = store.facts("Lima")
        assert (str(fact), fact.source) == ("Lima capital of Peru", "notes#Peru")
        store.delete_passage(one)
        assert store.all_facts() == [] and store.check() == []
