from understudy.knowledge.entities import Linker, lookup_in, names_in

NAMES = {
    "France": ["France", "French", "French Republic"],
    "French": ["French"],
    "Guinea": ["Guinea"],
    "Papua New Guinea": ["Papua New Guinea"],
    "United States": ["United States", "US", "American"],
    "Albanian lek": ["Albanian lek", "ALL"],
    "São Tomé and Príncipe": ["São Tomé and Príncipe"],
    "Georgia": ["Georgia", "Georgian"],
    "Saint John's": ["Saint John's"],
}


def linked(text: str, linker: Linker | None = None) -> list[tuple[str, str]]:
    return [(m.entity, text[m.start : m.end]) for m in (linker or Linker(lookup_in(NAMES))).link(text)]


def test_the_longest_name_wins() -> None:
    assert linked("Is Papua New Guinea near Guinea?") == [
        ("Papua New Guinea", "Papua New Guinea"),
        ("Guinea", "Guinea"),
    ]


def test_case_and_diacritics_do_not_matter() -> None:
    assert linked("sao tome and principe or FRANCE") == [
        ("São Tomé and Príncipe", "sao tome and principe"),
        ("France", "FRANCE"),
    ]


def test_plurals_and_possessives() -> None:
    assert linked("France's Georgians like Americans") == [
        ("France", "France"),
        ("Georgia", "Georgians"),
        ("United States", "Americans"),
    ]
    assert linked("the harbour of Saint John's") == [("Saint John's", "Saint John's")]


def test_whole_words_only() -> None:
    assert linked("Francesca ate equatorialguinea") == []


def test_an_own_name_wins_over_an_alias_and_the_alias_is_told() -> None:
    (mention,) = Linker(lookup_in(NAMES)).link("Who speaks French?")
    assert (mention.entity, mention.others) == ("French", ("France",))


def test_an_abbreviation_is_a_name_only_in_capitals() -> None:
    assert linked("tell us all") == []
    assert linked("the US pays in ALL") == [("United States", "US"), ("Albanian lek", "ALL")]


def test_a_weak_entity_never_hides_another() -> None:
    linker = Linker(lookup_in({"France": ["France"]}, weak=["Visit France Today", "Eiffel Tower"]))
    assert linked("Visit France today: the Eiffel Tower", linker) == [
        ("France", "France"),
        ("Eiffel Tower", "Eiffel Tower"),
    ]


def test_names_in_a_passage() -> None:
    found = names_in("Peru", "Lima lies in Peru. It borders Chile and Bolivia. The Isle of Man does not.")
    assert {name for name, certain in found.items() if certain} == {"Peru", "Chile", "Bolivia", "Isle of Man"}
    assert found["Lima"] is False, "a single capitalised word that opens a sentence may be any word"
    assert found["Chile and Bolivia"] is False


def test_names_lose_the_possessive_and_the_article() -> None:
    found = names_in("", "We saw Lima's harbour, Saint John's and The Bahamas.")
    assert found["Lima"] and not found["Saint John's"], "which of the two forms is the name, others must tell"
    assert found["Bahamas"] and "The Bahamas" not in found
