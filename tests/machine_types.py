"""What can be said of a value of a machine before anything runs.

Where nothing can be said it is ``UNKNOWN``, of which anything may be read. JSONata yields nothing, one value or a list,
depending on how many there are: that is ``Many``, and only ``[...]`` makes ``Items`` of it, which is a list whatever
happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headrace.service_model import installed

from tests.machine_services import members


@dataclass(frozen=True)
class Type:
    """What is known of a value."""


@dataclass(frozen=True)
class Scalar(Type):
    """A string, number, boolean or null."""

    kind: str


@dataclass(frozen=True)
class Literal(Type):
    """A string, number or boolean that stands in the definition."""

    value: str | float | bool


@dataclass(frozen=True)
class Shape(Type):
    """A value that a service gives, or takes."""

    service: str
    name: str


@dataclass(frozen=True)
class Record(Type):
    """An object; ``is_open``: it may have other members, too."""

    members: tuple[tuple[str, Type], ...]
    is_open: bool = False


@dataclass(frozen=True)
class Items(Type):
    """A list, whatever its length."""

    element: Type


@dataclass(frozen=True)
class Many(Type):
    """What a path yields: nothing, one value, or a list."""

    element: Type


@dataclass(frozen=True)
class Either(Type):
    """One of several."""

    options: frozenset[Type]


@dataclass(frozen=True)
class Function(Type):
    """A function of the expression's own."""

    parameters: tuple[str, ...]
    body: int


UNKNOWN = Type()
NEVER = Either(frozenset())
OUTSIDE = Scalar("nothing")
"""What a name without ``$`` is read of where no path leads to it."""
STRING, NUMBER, BOOLEAN, NULL = (Scalar(kind) for kind in ("string", "number", "boolean", "null"))


def record(**members_: Type) -> Record:
    """An object with these members and no others."""
    return Record(tuple(members_.items()))


def either(types: Iterable[Type]) -> Type:
    """One of ``types``."""
    options: set[Type] = set()
    for each in types:
        options |= each.options if isinstance(each, Either) else {each}
    if UNKNOWN in options:
        return UNKNOWN
    return options.pop() if len(options) == 1 else Either(frozenset(options))


def is_list(found: Type) -> bool:
    """Whether a value is a list, whatever its length."""
    if isinstance(found, Either):
        return all(is_list(each) for each in found.options)
    return isinstance(found, Items)


def element_of(found: Type) -> Type:
    """What a step of a path, or a function, gets of a value: its elements where it is a list."""
    if isinstance(found, Items | Many):
        return found.element
    if isinstance(found, Either):
        return either(element_of(each) for each in found.options)
    if isinstance(found, Shape):
        described = installed(found.service).shapes[found.name]
        if described["type"] == "list":
            return Shape(found.service, described["member"]["shape"])
    return found


def is_listlike(found: Type) -> bool:
    """Whether a path that goes on from a value may meet nothing or several values."""
    return element_of(found) != found


def is_number(found: Type) -> bool:
    """Whether ``[...]`` with this value takes one element, and does not choose among them."""
    if isinstance(found, Literal):
        return isinstance(found.value, int | float) and not isinstance(found.value, bool)
    options = found.options if isinstance(found, Either) else frozenset()
    return found == NUMBER or (bool(options) and all(is_number(each) for each in options))


def members_of(found: Type) -> Iterator[tuple[str, Type]]:
    """The members of an object by name."""
    if isinstance(found, Record):
        yield from found.members
    elif isinstance(found, Shape):
        for name, shape in members(found.service, found.name).items():
            yield name, Shape(found.service, shape)
