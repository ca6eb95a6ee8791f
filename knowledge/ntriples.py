"""N-Triples: the line format of RDF, read strictly (https://www.w3.org/TR/n-triples/).

An IRI is called by its ``rdfs:label``, in English or without a language before others, else by its last part. Further
labels and ``skos:altLabel`` are aliases, ``rdf:type`` is ``is_a``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ..core.errors import UnderstudyError
from .readings import Reading, decoded, fact
from .results import Fact

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"

_BLANK = re.compile(r"[ \t]*")
_IRI = re.compile(r"<([^\x00-\x20<>\"{}|^`]*)>")
_NODE = re.compile(r"_:[\w:](?:[\w:.·-]*[\w:·-])?")
_LITERAL = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(?:@([a-zA-Z]+(?:-[a-zA-Z0-9]+)*)|\^\^(<[^>]*>?))?')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.?))", re.DOTALL)
_PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True)
class Term:
    """An IRI, a blank node (``_:label``) or, with ``literal``, a value with its language."""

    text: str
    literal: bool = False
    language: str = ""


def ntriples(content: bytes, name: str, where: str) -> Reading:
    """Reads triples into facts.

    Raises:
        UnderstudyError: with line and column, when it is not UTF-8 or a line is no triple.
    """
    triples = list(_triples(decoded(content, where), where))
    labels: dict[str, list[Term]] = {}
    for _, subject, predicate, value in triples:
        if predicate.text == LABEL and value.literal and value.text.strip():
            labels.setdefault(subject.text, []).append(value)
    names = {iri: min(terms, key=_preference).text for iri, terms in labels.items()}

    def called(term: Term) -> str:
        if term.text.startswith("_:"):  # which is a name within its file only
            return names.get(term.text, f"{term.text} of {name}")
        return names.get(term.text) or _last(term.text).replace("_", " ")

    facts: list[Fact | None] = []
    for line, subject, predicate, value in triples:
        one, source = called(subject), f"{name}#{line}"
        if predicate.text in (LABEL, ALIAS) and value.literal:
            if " ".join(value.text.split()) != " ".join(one.split()):
                facts.append(fact(one, "also_called", value.text, source, literal=True))
        elif predicate.text == TYPE:
            facts.append(fact(one, "is_a", value.text if value.literal else called(value), source, literal=True))
        else:
            other = value.text if value.literal else called(value)
            facts.append(fact(one, _last(predicate.text), other, source, value.literal))
    return Reading((), [made for made in facts if made])


def _preference(label: Term) -> int:
    return 0 if label.language.lower().split("-")[0] in ("", "en") else 1


def _last(iri: str) -> str:
    """The fragment or last part of the path; the whole where there is none."""
    parts = [part for part in re.split(r"[/#]", iri) if part]
    last = parts[-1] if len(parts) > 1 else iri.rpartition(":")[2]
    return unquote(last).strip() or iri


def _triples(text: str, where: str) -> Iterator[tuple[int, Term, Term, Term]]:
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        try:
            at = _blank(line, 0)
            if at == len(line) or line[at] == "#":
                continue
            terms = []
            for part in ("subject", "predicate", "object"):
                term, at = _term(line, at, part)
                terms.append(term)
                at = _blank(line, at)
            if not line.startswith(".", at):
                raise _Broken(at, "a triple ends with a full stop")
            at = _blank(line, at + 1)
            if at < len(line) and line[at] != "#":
                raise _Broken(at, "only a comment may follow the full stop")
        except _Broken as broken:
            mend = "N-Triples has no prefixes; convert Turtle first" if line[:1] == "@" else "write <…> <…> <…> ."
            place = f"{where}:{number}:{broken.at + 1}"
            raise UnderstudyError(f"not N-Triples: {broken.what}", where=place, mend=mend) from None
        yield number, terms[0], terms[1], terms[2]


class _Broken(Exception):
    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at
        self.what = what


def _blank(line: str, at: int) -> int:
    match = _BLANK.match(line, at)
    return match.end() if match else at


def _term(line: str, at: int, part: str) -> tuple[Term, int]:
    if found := _IRI.match(line, at):
        return Term(_iri(found.group(1), at + 1)), found.end()
    if part != "predicate" and (found := _NODE.match(line, at)):
        return Term(found.group()), found.end()
    if part == "object" and (found := _LITERAL.match(line, at)):
        if found.group(3):
            typed = _IRI.fullmatch(found.group(3))
            if not typed:
                raise _Broken(found.start(3), "the type of a value is no IRI")
            _iri(typed.group(1), found.start(3) + 1)
        return Term(_unescaped(found.group(1), at + 1, _PLAIN), True, found.group(2) or ""), found.end()
    kinds = {"subject": "an IRI or a blank node", "predicate": "an IRI", "object": "an IRI, a blank node or a value"}
    raise _Broken(at, f"the {part} is not {kinds[part]}")


def _iri(written: str, at: int) -> str:
    iri = _unescaped(written, at, {})
    if not _SCHEME.match(iri):
        raise _Broken(at, "an IRI begins with its scheme, as in http://…")
    return iri


def _unescaped(written: str, at: int, plain: dict[str, str]) -> str:
    def letter(match: re.Match[str]) -> str:
        code = match.group(1) or match.group(2)
        if code is None and match.group(3) in plain:
            return plain[match.group(3)]
        if code is None or int(code, 16) > 0x10FFFF or 0xD800 <= int(code, 16) <= 0xDFFF:
            raise _Broken(at + match.start(), f"{match.group()} stands for no letter")
        return chr(int(code, 16))

    return _ESCAPE.sub(letter, written)
