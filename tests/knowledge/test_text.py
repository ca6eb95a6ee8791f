from understudy.knowledge.text import fold, key_of, sentences, words


def test_fold_takes_away_case_and_diacritics() -> None:
    assert fold("São Tomé") == fold("SAO TOME") == "sao tome"
    assert fold("Polish złoty") == "polish zloty"
    assert fold("paʻanga") == "paanga"


def test_words_know_their_places_also_in_decomposed_text() -> None:
    text = "In Sa\u0303o Tomé, N'Djamena!"
    assert [text[w.start : w.end] for w in words(text)] == ["In", "Sa\u0303o", "Tomé", "N", "Djamena"]
    assert [w.key for w in words(text)] == ["in", "sao", "tome", "n", "djamena"]


def test_key_of_is_the_same_for_every_way_to_write_a_name() -> None:
    assert key_of("Guinea-Bissau") == key_of("guinea bissau") == "guinea bissau"
    assert key_of("…") == ""


def test_sentences_end_where_they_end_and_not_at_abbreviations() -> None:
    text = "St. George's is the capital. It is small!  Is it?\n\nNew paragraph without a stop"
    assert [text[a:b] for a, b in sentences(text)] == [
        "St. George's is the capital.",
        "It is small!",
        "Is it?",
        "New paragraph without a stop",
    ]
