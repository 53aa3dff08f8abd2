"""The README beside the self-contained templates: the order of deployment, commands, and every Parameter.

Parameters and outputs are read from the templates themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.portable.parameters import INTERFACE

Template = Mapping[str, Any]

_INTRODUCTION = """\
# A headrace platform by CloudFormation

These templates need neither CDK nor bootstrap, and hold no Lambda function, custom resource or asset. Each is small
enough for the console's direct upload and for `aws cloudformation deploy`, and may be a product of Service Catalog.
What they make is what headrace's CDK stacks make, and `headrace train --platform NAME` works with it.

## Order

1. One foundation: `{new}`, or `{existing}`.
2. If a shared Lustre file system is wanted: `{lustre}`, with the name of the foundation's stack.
   It costs money by the hour from the moment it exists; delete its stack when it is not needed, the foundation stays.

Delete in the reverse order: CloudFormation refuses to delete a foundation while a Lustre stack imports from it. Bucket
and EFS stay when the foundation's stack is deleted.

## Commands

```sh
aws cloudformation deploy --stack-name team-a-foundation --capabilities CAPABILITY_IAM \\
  --template-file {new} \\
  --parameter-overrides PlatformName=team-a ZoneId1=use1-az1 ZoneId2=use1-az2

# or, in a VPC that is there already:
aws cloudformation deploy --stack-name team-a-foundation --capabilities CAPABILITY_IAM \\
  --template-file {existing} \\
  --parameter-overrides PlatformName=team-a VpcId=vpc-… RouteTableIds=rtb-…,rtb-… \\
    SubnetId1=subnet-… ZoneId1=use1-az1 SubnetId2=subnet-… ZoneId2=use1-az2

aws cloudformation deploy --stack-name team-a-lustre \\
  --template-file {lustre} \\
  --parameter-overrides FoundationStackName=team-a-foundation
```

`aws ec2 describe-availability-zones` shows the ids of zones, `aws ec2 describe-subnets` in which zone a subnet lies. In
the console and in Service Catalog, the same Parameters are a form.
"""


def readme(files: Mapping[str, Template], names: Mapping[str, str]) -> str:
    """The page as Markdown. ``files``: template by file; ``names``: the files ``new``, ``existing`` and ``lustre``."""
    sections = [_section(file, template) for file, template in files.items()]
    return "\n".join([_INTRODUCTION.format(**names), *sections])


def _section(file: str, template: Template) -> str:
    rows = [row for group in template["Metadata"][INTERFACE]["ParameterGroups"] for row in _rows(group, template)]
    outputs = [f"| `{name}` | {each.get('Description', '')} |" for name, each in template["Outputs"].items()]
    return "\n".join(
        [
            f"## {file}",
            "",
            f"{template['Description']}.",
            "",
            "| | Parameter | what | default | allowed |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "| output | what |",
            "|---|---|",
            *outputs,
            "",
        ]
    )


def _rows(group: Mapping[str, Any], template: Template) -> Iterator[str]:
    heading = group["Label"]["default"]
    for name in group["Parameters"]:
        parameter = template["Parameters"][name]
        default = f"`{parameter['Default']}`" if parameter.get("Default") else _without_default(parameter)
        yield f"| {heading} | `{name}` | {parameter['Description']} | {default} | {_allowed(parameter)} |"
        heading = ""


def _without_default(parameter: Mapping[str, Any]) -> str:
    return "empty" if "Default" in parameter else "required"


def _allowed(parameter: Mapping[str, Any]) -> str:
    values = parameter.get("AllowedValues", [])
    if len(values) > 10:
        return f"{', '.join(values[:3])} … {values[-1]}"
    return str(parameter.get("ConstraintDescription") or ", ".join(values) or parameter["Type"])
