"""What an ONNX file declares beside its nodes: names, element types and shapes of inputs and outputs, and its metadata.

The engine knows shapes better than the file does, but not the words that the file uses for them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field

# Field numbers of onnx.proto.
_MODEL = {2: "producer_name", 4: "domain", 6: "description"}
_VERSION, _GRAPH, _PROPERTIES = 5, 7, 14
_GRAPH_NAME, _GRAPH_DOC, _INPUT, _OUTPUT = 2, 10, 11, 12


@dataclass
class Declared:
    """`shapes`: per input or output, a number, a name or None for each dimension; nothing for undeclared shapes."""

    shapes: dict[str, list] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    version: int = 2**63 - 1


def read_declared(source: str | bytes) -> Declared:
    """From a path or the bytes of an ONNX file. Raises ValueError for what isn't one, OSError for unreadable files."""
    if isinstance(source, bytes):
        return _read_model(memoryview(source))
    with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view:
            return _read_model(view)


def _read_model(view: memoryview) -> Declared:
    declared = Declared()
    for number, value in _fields(view):
        if number in _MODEL:
            declared.texts[_MODEL[number]] = _text(value)
        elif number == _VERSION:
            declared.version = value
        elif number == _PROPERTIES:
            entry = dict(_fields(value))
            declared.properties[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
        elif number == _GRAPH:
            _read_graph(value, declared)
    return declared


def _read_graph(view: memoryview, declared: Declared) -> None:
    for number, value in _fields(view):
        if number == _GRAPH_NAME:
            declared.texts["graph_name"] = _text(value)
        elif number == _GRAPH_DOC:
            declared.texts["graph_description"] = _text(value)
        elif number in (_INPUT, _OUTPUT):
            info = dict(_fields(value))
            tensor = dict(_fields(dict(_fields(info.get(2, b""))).get(1, b"")))
            if 2 in tensor:
                dims = [dict(_fields(dim)) for number, dim in _fields(tensor[2]) if number == 1]
                declared.shapes[_text(info.get(1, b""))] = [
                    dim[1] if 1 in dim else _text(dim[2]) if dim.get(2) else None for dim in dims
                ]


def _fields(view) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of a protobuf message's fields."""
    view = memoryview(view)
    at = 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(view, at)
            yield tag >> 3, value
            continue
        if kind not in (1, 2, 5):
            raise ValueError(f"malformed protobuf: wire type {kind}")
        length, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(view, at)
        if at + length > len(view):
            raise ValueError("malformed protobuf: a field ends behind the end")
        yield tag >> 3, view[at:at + length]
        at += length


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise ValueError("malformed protobuf: a number is cut off")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("malformed protobuf: a number is too long")


def _text(value) -> str:
    return bytes(value).decode("utf-8", "backslashreplace")
