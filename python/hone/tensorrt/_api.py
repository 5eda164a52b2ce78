"""What all classes here share: names of TensorRT that aren't here yet say so, and `with` works on every object."""

import enum
from typing import Any


def missing(owner: str, name: str) -> AttributeError:
    """The error for a name that TensorRT may have and this module hasn't. hasattr() understands it."""
    return AttributeError(f"{owner}.{name} isn't in hone.tensorrt yet; dir({owner}) lists what is", name=name)


class _Named(type):
    def __getattr__(cls, name: str) -> Any:
        raise missing(f"tensorrt.{cls.__name__}", name)


class Extensible(metaclass=_Named):
    """Base of the classes that users derive from."""

    def __getattr__(self, name: str) -> Any:
        raise missing(f"tensorrt.{type(self).__name__}", name)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Api(Extensible):
    """Base of the classes that users only call: setting an unknown attribute is an error instead of being forgotten."""

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if not name.startswith("_") and not hasattr(kind, name):
            raise missing(f"tensorrt.{kind.__name__}", name)
        known = getattr(kind, name, None)
        if isinstance(known, property) and known.fset is None:
            raise AttributeError(f"tensorrt.{kind.__name__}.{name} can't be set in hone.tensorrt, only read", name=name)
        object.__setattr__(self, name, value)


class Flagged(Api):
    """With options by the numbers of an enumeration."""

    flags = 0

    def set_flag(self, flag: int) -> None:
        self.flags |= 1 << int(flag)

    def clear_flag(self, flag: int) -> None:
        self.flags &= ~(1 << int(flag))

    def get_flag(self, flag: int) -> bool:
        return bool(self.flags >> int(flag) & 1)


class _EnumMeta(enum.EnumMeta):
    def __getattr__(cls, name: str) -> Any:
        members = cls.__dict__.get("_member_map_", {})
        if name in members:
            return members[name]
        if name.startswith("_"):
            raise AttributeError(name)
        raise missing(f"tensorrt.{cls.__name__}", name)


class Enum(enum.IntEnum, metaclass=_EnumMeta):
    """Printed and counted as TensorRT's enumerations are."""

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self}: {self.value}>"
