import pytest

from understudy.knowledge.readings import Reading
from understudy.knowledge.webpages import webpage

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Peru &amp; more</title>
<meta name="Author" content="Ana"><meta name="viewport" content="width=1"><style>p {color: red}</style>
<script>if (a < b) alert("no")</script></head>
<body><nav><a href="/">Home</a></nav><p>Welcome to
 our   page.</p>
<h1>Peru <em>today</em></h1><p>The capital is <a href="lima.html">Lima</a>.<p>It<br>grows.
<h2>Food</h2><ul><li>Ceviche<li>Pisco</ul>
<table><tr><th>City<th>People</tr><tr><td>Lima</td><td>10</td></tr></table>
<pre>
a
  b
</pre>
<h1>Chile</h1><div>Next <a name="here">door</a> to <a href="x"> Peru </a>!</div></body></html>"""


def read(text: str) -> Reading:
    return webpage(text.encode(), "peru.html", "peru.html")


def test_a_page_is_read_under_its_headings() -> None:
    reading = read(PAGE)
    assert reading.metadata == {"title": "Peru & more", "lang": "en", "author": "Ana"}
    assert [(p.title, p.headings, p.text) for p in reading.pieces] == [
        ("Peru & more", (), "Welcome to our page."),
        ("Peru today", ("Peru today",), "The capital is Lima.\n\nIt\ngrows."),
        ("Peru today > Food", ("Peru today", "Food"), "Ceviche\nPisco\n\nCity | People\nLima | 10\n\na\n  b"),
        ("Chile", ("Chile",), "Next door to Peru !"),
    ]


def test_links_belong_to_the_passage_that_holds_them() -> None:
    assert [p.links for p in read(PAGE).pieces] == [(), ("Lima",), (), ("Peru",)]
    (piece,) = read('<td>One<td><a href="x">Two</a>').pieces
    assert (piece.text, piece.links) == ("One | Two", ("Two",))


def test_spans_are_those_of_the_extracted_text() -> None:
    pieces = read("<h1>A</h1><p>One.<h1>B</h1><p>Two.").pieces
    text = "A\n\nOne.\n\nB\n\nTwo."
    assert [text[p.start : p.end] for p in pieces] == [p.text for p in pieces] == ["One.", "Two."]
    assert pieces[1].source == "peru.html:12-16"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("just text", "just text"),
        ("<p>a<b>b</b>c <i> d</i>", "abc d"),
        ("<head><title>T<body>x", "x"),
        ("<p>x<script>never closed", "x"),
        ("<svg><title>drawing</title></svg>x", "x"),
        ("<![unknown[ x ]]>y", "y"),
        ("<p>1 &lt; 2 &#xD800;</p>", "1 < 2 \ufffd"),
        ("<template><p>no</template></p></b>x</i>", "x"),
        ("<pre><b>a</b>\n<b>b</b></pre>", "a\nb"),
    ],
)
def test_loose_markup_is_read_as_a_browser_would(page: str, text: str) -> None:
    assert [p.text for p in read(page).pieces] == [text]


def test_without_heading_or_title_the_file_gives_the_title() -> None:
    assert read("<h1></h1><p>x").pieces[0].title == "peru"


def test_a_heading_that_is_never_closed_ends_with_the_next() -> None:
    assert [p.headings for p in read("<h1>A<h2>B</h2>x").pieces] == [("A", "B")]
