import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.prose import markdown, plain_text
from understudy.knowledge.readings import Reading


def read(text: str, name: str = "guide.md") -> Reading:
    return markdown(text.encode(), name, name)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_front_matter_is_metadata_and_no_part_of_a_passage(ends: str) -> None:
    text = ends.join(
        ["---", "title: Travel", "when: 2020-05-01", "tags: [a, b]", "---", "Preface.", "", "# Peru", "", "Lima. Big."]
    )
    reading = read(text)
    assert reading.metadata == {"title": "Travel", "when": "2020-05-01", "tags": ["a", "b"]}
    assert [(p.title, p.text, p.headings) for p in reading.pieces] == [
        ("Travel", "Preface.", ()),
        ("Peru", "Lima. Big.", ("Peru",)),
    ]
    assert all(text[p.start : p.end] == p.text for p in reading.pieces)
    assert reading.pieces[0].source == f"guide.md:{reading.pieces[0].start}-{reading.pieces[0].end}"


def test_a_byte_order_mark_is_not_counted() -> None:
    (piece,) = markdown(b"\xef\xbb\xbf# Peru\n\nLima.", "guide.md", "guide.md").pieces
    assert (piece.title, piece.start, piece.end) == ("Peru", 8, 13)


@pytest.mark.parametrize(
    "text", ["---\n\n# Rule\n\nText: x.\n\n---\n", "--- \nOnly one rule.", "Text\n---\na: b\n---\n"]
)
def test_a_rule_is_no_front_matter(text: str) -> None:
    assert read(text).metadata == {} and read(text).pieces


def test_front_matter_may_be_empty() -> None:
    assert [p.text for p in read("---\n---\nText.").pieces] == ["Text."]
    assert [p.text for p in read("---\n# nothing: yet\n---\nText.").pieces] == ["Text."]


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("a: [1\nb: 2", "guide.md:3:2: the front matter is not YAML"),
        ("a: 1\na: 2", "guide.md:3:1: the front matter is not YAML"),
        ("a: 2020-13-45", "guide.md:2: the front matter is not YAML: month"),
        ("a: !!python/name:os.system x", "the front matter is not YAML"),
        ("a: &x [1]\nb: [*x, *x]", "guide.md: the front matter uses an alias"),
        ("a: !!int ''", "the front matter is not YAML"),
        ("a: " + "[" * 3000, "the front matter is not YAML"),
    ],
)
def test_broken_front_matter_is_told_with_its_place(front: str, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        read(f"---\n{front}\n---\nText.")
    assert said in str(caught.value)


def test_links_belong_to_the_passage_that_holds_them() -> None:
    text = """# One
See [**Lima**](lima.md "The capital"), [Lima](x) and ![a picture](peru.png).
# Two
Read [the `wiki` page](https://example.org/a_(b)) of \\[not](this).
`code[0](x)` and [São Tomé](<s t.md>).

```python
handlers[name](argument)
```
[after](x)
"""
    one, two = read(text).pieces
    assert one.links == ("Lima",)
    assert two.links == ("the `wiki` page", "São Tomé", "after")


def test_plain_text_has_no_headings_links_or_front_matter() -> None:
    text = "---\na: b\n---\n# One\n\n[x](y)"
    (piece,) = plain_text(text.encode(), "notes/a.txt", "a.txt").pieces
    assert (piece.title, piece.text, piece.links, piece.headings) == ("a", text, (), ())
