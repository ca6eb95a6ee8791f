"""Role files: from the values of a role.yaml to message types, the record that a head fills, and demonstrations."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import StrictBool, StrictStr, create_model
from pydantic.errors import PydanticUserError

from ..core.errors import UnderstudyError
from ..core.fields import Choice, Field, ListOf, Number, Record, Text
from .messages import Filled, Message, filled_names
from .role import Demonstration, Role

FORMAT = "understudy/role/v1"
_KEYS = ("schema", "role", "does", "takes", "gives", "demonstrations", "tools")
_YES, _NO = "yes", "no"
_LITERAL: Any = Literal  # made at run time, which type checkers do not follow
_TUPLE: Any = tuple
_BOOLEAN = Choice((_YES, _NO))


def read_document(path: Path) -> dict[str, Any]:
    """The values of a YAML file. Raises UnderstudyError where it cannot be read or holds no mapping."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Plain(SafeConstructor):
        """A date is the text that is written."""

    Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: str(node.value))
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Plain
    try:
        document = yaml.load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnderstudyError(f"the role file cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise UnderstudyError("the role file is not UTF-8 text", where=str(path), mend="save it as UTF-8") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise UnderstudyError(f"YAML: {getattr(error, 'problem', None) or error}", where=place) from None
    except (RecursionError, ValueError) as error:  # such as a number of thousands of digits
        raise UnderstudyError(f"YAML: {str(error).partition(';')[0]}", where=str(path), mend="quote it") from None
    if not isinstance(document, dict):
        raise UnderstudyError("the role file holds no mapping", where=str(path), mend="see understudy schema role")
    return document


def parse(document: Mapping[str, Any], base: Path, where: str) -> Role:
    """The role that ``document`` describes. Raises UnderstudyError, which names ``where`` and the key."""
    for key in document:
        if key not in _KEYS:
            raise UnderstudyError(f"unknown key {key!r}", where=where, mend=f"use {', '.join(_KEYS)}")
    if document.get("schema", FORMAT) != FORMAT:
        raise UnderstudyError(f"the schema is {document['schema']!r}", where=where, mend=f"write schema: {FORMAT}")
    name, does = (_text(document, key, where) for key in ("role", "does"))
    sides = {side: _fields(document, side, where) for side in ("takes", "gives")}
    bases = {"takes": Message, "gives": Filled}
    types = {side: message_type_of(f"{name}.{side}", fields, where, bases[side]) for side, fields in sides.items()}
    record = Record(tuple((field, field_of(kind, where)) for field, kind in sides["gives"].items()))
    shown = _demonstrations(document.get("demonstrations", ()), base, sides, where)
    tools = tuple(str(tool) for tool in document.get("tools", ()))
    return Role(name, does, types["takes"], types["gives"], record, shown, tools)


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UnderstudyError(f"the key {key!r} needs a text", where=where)
    return value.strip()


def _fields(document: Mapping[str, Any], side: str, where: str) -> dict[str, Any]:
    fields = document.get(side)
    if not isinstance(fields, Mapping) or not fields:
        raise UnderstudyError(f"the key {side!r} needs fields", where=where, mend=f"for example {side}: {{text: text}}")
    return {str(name): kind for name, kind in fields.items()}


def message_type_of(
    name: str, fields: Mapping[str, Any], where: str, base: type[Message] = Message
) -> type[Message]:
    """A ``base`` with these fields as well, registered as ``name``. Raises UnderstudyError for an unusable field."""
    for field in fields:
        if field in base.model_fields:
            mend = "choose another name: how sure the head was stands in it"
            raise UnderstudyError(f"a field cannot be called {field!r}", where=where, mend=mend)
        if not field.isidentifier() or field.startswith("_") or hasattr(Message, field):
            raise UnderstudyError(f"a field cannot be called {field!r}", where=where, mend="choose another name")
    shape: dict[str, Any] = {field: (python_type(kind, where), ...) for field, kind in fields.items()}
    title = "".join(part.capitalize() for part in name.replace("-", "_").replace(".", "_").split("_"))
    try:
        made: type[Message] = create_model(title, __base__=base, __cls_kwargs__={"message_name": name}, **shape)
    except (PydanticUserError, NameError, ValueError) as error:
        raise UnderstudyError(f"these fields make no message: {error}", where=where) from None
    return made


def python_type(kind: Any, where: str) -> Any:
    """The Python type of a field type as it is written: text, number, integer, boolean, [choices], {list: …}."""
    plain = {"text": StrictStr, "number": float, "integer": int, "boolean": StrictBool}
    if isinstance(kind, str) and kind in plain:
        return plain[kind]
    if isinstance(kind, list) and len(kind) > 1 and all(isinstance(choice, str) and choice for choice in kind):
        return _LITERAL[tuple(kind)]
    if isinstance(kind, Mapping) and set(kind) == {"list"}:
        return _TUPLE[python_type(kind["list"], where), ...]
    raise UnderstudyError(f"there is no field type {kind!r}", where=where,
                          mend="use text, number, integer, boolean, [choices] or {list: …}")  # fmt: skip


def field_of(kind: Any, where: str) -> Field:
    """How a head fills a field of this type."""
    python_type(kind, where)
    if isinstance(kind, list):
        return Choice(tuple(kind))
    if isinstance(kind, Mapping):
        item = field_of(kind["list"], where)
        return ListOf(item, distinct=isinstance(item, Choice) and item is not _BOOLEAN)
    plain: dict[str, Field] = {
        "text": Text(), "number": Number(), "integer": Number(integer=True), "boolean": _BOOLEAN,
    }  # fmt: skip
    return plain[kind]


def as_text(value: Any) -> str:
    """A field's value as prompts show it."""
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, list | tuple):
        return "; ".join(as_text(item) for item in value)
    return str(value)


def as_values(message: Message, record: Record) -> dict[str, Any]:
    """The fields of a message in the shapes that a head is taught."""
    return {name: _taught(getattr(message, name)) for name, _ in record.fields}


def _taught(value: Any) -> Any:
    if isinstance(value, bool):
        return _YES if value else _NO
    return [_taught(item) for item in value] if isinstance(value, list | tuple) else value


def as_given(value: Any, field: Field) -> Any:
    """The value that a head chose, as the message type takes it."""
    if isinstance(field, ListOf):
        return tuple(as_given(item, field.item) for item in value)
    return value == _YES if field is _BOOLEAN else value


def kind_of(annotation: Any, where: str | None = None) -> Any:
    """The field type, as it is written in a role file, of a type that :func:`python_type` made.

    Raises UnderstudyError, which names ``where``, for a type that no head fills.
    """
    if hasattr(annotation, "__metadata__"):  # inside a list a strict type keeps its strictness as an annotation
        annotation = annotation.__origin__
    arguments = getattr(annotation, "__args__", ())
    if getattr(annotation, "__origin__", None) is Literal:
        return list(arguments)
    if arguments and getattr(annotation, "__origin__", None) in (tuple, list):
        return {"list": kind_of(arguments[0], where)}
    plain = {str: "text", float: "number", int: "integer", bool: "boolean"}
    if annotation not in plain:
        raise UnderstudyError(f"a head cannot fill a field of type {getattr(annotation, '__name__', annotation)}",
                              where=where, mend="use str, int, float, bool, Literal[…] or tuple[…, ...]")  # fmt: skip
    return plain[annotation]


def _kinds(kind: type[Message]) -> dict[str, Any]:
    fields, called = kind.model_fields, kind.message_name
    return {name: kind_of(fields[name].annotation, f"{called}.{name}") for name in filled_names(kind)}


def record_of(gives: type[Message]) -> Record:
    """The fields that a head fills, from a message type. Raises UnderstudyError for a type that it cannot fill."""
    own = gives.model_fields
    again = [name for name, info in Filled.model_fields.items()
             if issubclass(gives, Filled) and own[name].annotation != info.annotation]  # fmt: skip
    if again:
        mend = "choose another name: how sure the head was stands in it"
        raise UnderstudyError(f"a field cannot be called {again[0]!r}", where=gives.message_name, mend=mend)
    if not filled_names(gives):
        raise UnderstudyError("there is no field for a head to fill", where=gives.message_name, mend="give it one")
    kinds = _kinds(gives)
    return Record(tuple((name, field_of(kind, gives.message_name)) for name, kind in kinds.items()))


def document_of(role: Role) -> dict[str, Any]:
    """A role as the values of a role.yaml."""
    sides = {"takes": _kinds(role.takes), "gives": _kinds(role.gives)}
    shown = [{"takes": dict(one.takes), "gives": dict(one.gives)} for one in role.demonstrations]
    document = {"schema": FORMAT, "role": role.name, "does": role.does, **sides, "demonstrations": shown}
    return document | ({"tools": list(role.tools)} if role.tools else {})


def _demonstrations(
    written: Any, base: Path, sides: Mapping[str, Mapping[str, Any]], where: str
) -> tuple[Demonstration, ...]:
    if isinstance(written, str):
        return tuple(_from_file(base / written, sides))
    if not isinstance(written, list | tuple):
        raise UnderstudyError("demonstrations are a list or the name of a file", where=where)
    found = []
    for number, one in enumerate(written, 1):
        found.append(_one(one, f"{where}, demonstration {number}"))
    return tuple(found)


def _one(value: Any, where: str) -> Demonstration:
    if not isinstance(value, Mapping) or set(value) != {"takes", "gives"}:
        raise UnderstudyError("a demonstration has takes and gives", where=where)
    if not all(isinstance(value[side], Mapping) for side in value):
        raise UnderstudyError("takes and gives are mappings of fields", where=where)
    return Demonstration(dict(value["takes"]), dict(value["gives"]))


def _from_file(path: Path, sides: Mapping[str, Mapping[str, Any]]) -> list[Demonstration]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnderstudyError(f"the demonstrations cannot be read: {error}", where=str(path)) from None
    if path.suffix == ".jsonl":
        found = []
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    found.append(_one(json.loads(line), f"{path}:{number}"))
                except ValueError as error:
                    raise UnderstudyError(f"JSON: {error}", where=f"{path}:{number}") from None
        return found
    if path.suffix == ".csv":
        return [_row(row, sides) for row in csv.DictReader(text.splitlines(keepends=True))]
    raise UnderstudyError("demonstrations lie in a .jsonl or .csv file", where=str(path))


def _row(row: Mapping[str, str], sides: Mapping[str, Mapping[str, Any]]) -> Demonstration:
    """A CSV row: a column for each field, called by it or ``takes.NAME`` and ``gives.NAME``; ``;`` parts items."""
    found: dict[str, dict[str, Any]] = {}
    for side, fields in sides.items():
        named = {name: row.get(f"{side}.{name}", row.get(name)) for name in fields}
        found[side] = {name: _cell(cell or "", fields[name]) for name, cell in named.items()}
    return Demonstration(found["takes"], found["gives"])


def _cell(cell: str, kind: Any) -> Any:
    text = cell.strip()
    if isinstance(kind, Mapping):
        return [_cell(part, kind["list"]) for part in text.split(";") if part.strip()]
    if kind == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    return text
