"""How CloudFormation resource types are added to moto, completed, or given a deletion.

A type that moto lacks is *added*: a function that creates it through the service's own API, one that deletes it.
A type whose properties moto drops in part is *completed*: a function that applies the rest after moto has made it.
A type of which moto misreads a property is *prepared*: a function that rewrites the properties before moto sees them.
A type that moto never deletes, or deletes wrongly, is given a *deletion*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

Properties = Mapping[str, Any]


class Unsupported(Exception):
    """What CloudFormation could do and the embedded AWS cannot; the text says what, and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A resource as CloudFormation knows it: what Ref gives, and what Fn::GetAtt gives by name."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedType:
    """A resource type that moto lacks. ``create`` and ``delete`` get the Region first.

    ``name_property`` names a resource; where a template does not, a name is made up.
    """

    type_name: str
    create: Callable[[str, Properties], Created]
    delete: Callable[[str, Created], None]
    attributes: frozenset[str] = frozenset()
    name_property: str = ""
    update: Callable[[str, Created, Properties], Created] | None = None
    """Changes a resource in place, where that can be done; gets the Region first."""


Preparation = Callable[[str, Properties], Properties]
"""Gets Region and properties, gives the properties for moto."""
Completion = Callable[[str, str, Properties], None]
"""Gets Region, physical id and properties."""
Deletion = Callable[[str, str, Properties], None]
"""Gets Region, physical id and properties."""

PREPARATIONS: Final[dict[str, Preparation]] = {}
COMPLETIONS: Final[dict[str, Completion]] = {}
DELETIONS: Final[dict[str, Deletion]] = {}


def add(added: AddedType) -> None:
    """Make moto know this type."""
    # the cached tables are built once from the subclasses that exist then: later types go in by hand
    parsing.get_model_map()[added.type_name] = _model_of(added)
    parsing.get_name_type_map()[added.type_name] = added.name_property


def _model_of(added: AddedType) -> type[CloudFormationModel]:
    class AddedResource(CloudFormationModel):  # type: ignore[misc]  # moto is untyped for us
        def __init__(self, created: Created) -> None:
            self.created = created
            self.physical_resource_id = created.physical_id

        cloudformation_type = staticmethod(lambda: added.type_name)
        cloudformation_name_type = staticmethod(lambda: added.name_property)

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in added.attributes

        def get_cfn_attribute(self, name: str) -> Any:
            if name not in self.created.attributes:
                raise parsing.UnformattedGetAttTemplateException()
            return self.created.attributes[name]

        @classmethod
        def create_from_cloudformation_json(
            cls, name: str, definition: Mapping[str, Any], _account: str, region: str, **_: Any
        ) -> AddedResource:
            named = {added.name_property: name} if added.name_property else {}
            return cls(added.create(region, {**named, **definition["Properties"]}))

        def delete(self, _account: str, region: str) -> None:
            added.delete(region, self.created)

    if added.update is not None:
        _let_update(AddedResource, added.update)
    return AddedResource


def _let_update(model: Any, update: Callable[[str, Created, Properties], Created]) -> None:
    def in_place(
        cls: Any, /, original_resource: Any, cloudformation_json: Mapping[str, Any], region_name: str, **_: Any
    ) -> Any:
        return cls(update(region_name, original_resource.created, cloudformation_json["Properties"]))

    model.update_from_cloudformation_json = classmethod(in_place)


def refuse_unknown_properties(type_name: str, properties: Properties, applied: Collection[str]) -> None:
    """Raise Unsupported for a property that nobody here applies."""
    unknown = sorted(set(properties) - set(applied))
    if unknown:
        raise Unsupported(f"{type_name}: the embedded AWS does not apply {', '.join(unknown)}")


def is_known(type_name: str) -> bool:
    """Whether the embedded AWS can make resources of this type."""
    return type_name in parsing.get_model_map() or type_name in parsing.NULL_MODELS


def install() -> None:
    """Metadata that the CDK adds for its own statistics is the one type that is known and does nothing."""
    if "AWS::CDK::Metadata" not in parsing.NULL_MODELS:
        parsing.NULL_MODELS.append("AWS::CDK::Metadata")
