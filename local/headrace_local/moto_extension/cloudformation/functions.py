"""Values of a template that moto does not work out: Fn::Cidr, and the default of a Number, which is a number.

Source: CloudFormation Template Reference, "Fn::Cidr"; AWS CloudFormation User Guide, "Parameters".
"""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap

_clean_json = parsing.clean_json
_load_parameters = ResourceMap.load_parameters


def clean_json(part: Any, resource_map: Any) -> Any:
    """A part of a template with its functions worked out."""
    if isinstance(part, dict) and "Fn::Cidr" in part:
        block, count, host_bits = _clean_json(part["Fn::Cidr"], resource_map)
        return _slices(str(block), int(count), int(host_bits))
    return _clean_json(part, resource_map)


def _slices(block: str, count: int, host_bits: int) -> list[str]:
    network, prefix_length = IPv4Network(block), 32 - host_bits
    if 2 ** max(prefix_length - network.prefixlen, -1) < count:
        raise ValidationError(
            message=f"Template error: Fn::Cidr cannot cut {block} into {count} blocks of /{prefix_length}"
        )
    return [str(each) for each in islice(network.subnets(new_prefix=prefix_length), count)]


def load_parameters(resource_map: ResourceMap) -> None:
    """As moto's, with numbers for the Numbers that were not given."""
    _load_parameters(resource_map)
    for name, definition in resource_map._template.get("Parameters", {}).items():
        value = resource_map.resolved_parameters[name]
        if definition["Type"] == "Number" and isinstance(value, str):
            number = float(value)
            resource_map.resolved_parameters[name] = int(number) if number.is_integer() else number
    resource_map._parsed_resources.update(resource_map.resolved_parameters)


def install() -> None:
    """Put these in the place of moto's."""
    parsing.clean_json = clean_json
    ResourceMap.load_parameters = load_parameters
