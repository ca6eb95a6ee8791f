import io
import sys

import pypdf
import pytest

from understudy.core.errors import UnderstudyError
from understudy.knowledge.pdf import pdf


def written(pages: list[str], more: str = "") -> bytes:
    """A PDF by hand; ``more`` goes into its trailer."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    content, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    start = len(content)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{at:010} 00000 n \n" for at in places)
    content += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {more} >>\nstartxref\n{start}\n%%EOF\n"
    return content.encode("latin-1")


def test_every_page_is_a_section_with_its_number() -> None:
    reading = pdf(written(["Lima is the capital.", "", "It is large."]), "peru.pdf", "peru.pdf")
    assert [(p.title, p.text, p.metadata) for p in reading.pieces] == [
        ("peru", "Lima is the capital.", {"page": 1}),
        ("peru", "It is large.", {"page": 3}),
    ]
    text = "Lima is the capital.\n\n\n\nIt is large."
    assert [text[p.start : p.end] for p in reading.pieces] == [p.text for p in reading.pieces]


def test_what_the_file_tells_of_itself_is_metadata() -> None:
    reading = pdf(written(["Lima."], "/Info << /Title (Peru) /Author (Ana) /Subject () >>"), "a.pdf", "a.pdf")
    assert reading.metadata == {"title": "Peru", "author": "Ana"} and reading.pieces[0].title == "Peru"


def test_an_encrypted_file_is_told() -> None:
    locked = f"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>"
    with pytest.raises(UnderstudyError, match=r"a\.pdf: it is encrypted with a password; save it without"):
        pdf(written(["Lima."], locked), "a.pdf", "a.pdf")


def test_a_file_encrypted_without_password_is_read() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(written(["Lima."])))
    writer.encrypt("", "owner", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    assert [p.text for p in pdf(locked.getvalue(), "a.pdf", "a.pdf").pieces] == ["Lima."]


def test_a_file_that_needs_another_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: object) -> None:
        raise pypdf.errors.DependencyError("cryptography>=3.1 is required for AES algorithm")

    monkeypatch.setattr(pypdf, "PdfReader", opened)
    with pytest.raises(UnderstudyError, match=r"a\.pdf: it is encrypted with AES; pip install cryptography"):
        pdf(written(["Lima."]), "a.pdf", "a.pdf")


@pytest.mark.parametrize("content", [b"no pdf", b"%PDF-1.4\n", b"%PDF-1.4\ntrailer << /Root 1 0 R >>\n%%EOF"])
def test_a_damaged_file_is_told(content: bytes) -> None:
    with pytest.raises(UnderstudyError, match=r"a\.pdf: not a PDF that can be read"):
        pdf(content, "a.pdf", "a.pdf")


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(UnderstudyError, match=r"pip install understudy\[pdf\]"):
        pdf(written(["Lima."]), "a.pdf", "a.pdf")
