"""Self-contained CloudFormation templates with Parameters, for platform teams without CDK: ``make templates``.

They are made from the same constructs as the CDK stacks, and what they leave in SSM is the same record, so that
``headrace train --platform NAME`` works with a platform deployed either way. Each is written without white space, below
the 51,200 bytes that CreateStack takes as TemplateBody and that the console takes without a bucket.
Source: AWS CloudFormation User Guide, "Understand CloudFormation quotas".
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, BootstraplessSynthesizer

from stacks.portable.foundation import PortableFoundation
from stacks.portable.lustre import PortableLustre
from stacks.portable.readme import readme

MAX_TEMPLATE_BYTES = 51_200
NEW_VPC = "foundation-new-vpc"
EXISTING_VPC = "foundation-existing-vpc"
LUSTRE = "lustre"
ORDER = {NEW_VPC: 1, EXISTING_VPC: 1, LUSTRE: 2}
"""When a template is deployed; of those with the same number, one is chosen."""
# Stack tags would be the template's tags for the CDK CLI, which is not used here; resources carry theirs.
CONTEXT = {"@aws-cdk/core:explicitStackTags": True}


def portable_templates() -> dict[str, dict[str, Any]]:
    """The templates by name, in the order of deployment."""
    with TemporaryDirectory() as directory:
        app = App(outdir=directory, analytics_reporting=False, context=CONTEXT)
        add_stacks(app)
        stacks = {each.stack_name: Path(each.template_full_path) for each in app.synth().stacks}
        return {name: json.loads(stacks[name].read_text(encoding="utf-8")) for name in ORDER}


def file_name(template: str) -> str:
    """The file of a template, by the template's name."""
    return f"{ORDER[template]}-{template}.template.json"


def add_stacks(app: App) -> None:
    """A stack for each template; they belong to no account and no Region."""
    PortableFoundation(
        app,
        NEW_VPC,
        network="new",
        description="headrace: network, bucket, EFS and roles for training jobs, in a new VPC",
        synthesizer=BootstraplessSynthesizer(),
    )
    PortableFoundation(
        app,
        EXISTING_VPC,
        network="existing",
        description="headrace: bucket, EFS and roles for training jobs, in an existing VPC",
        synthesizer=BootstraplessSynthesizer(),
    )
    PortableLustre(
        app,
        LUSTRE,
        description="headrace: shared Lustre file system; needs a foundation stack, and may be deleted alone",
        synthesizer=BootstraplessSynthesizer(),
    )


def text_of(template: dict[str, Any]) -> str:
    """A template as it is written."""
    return json.dumps(template, separators=(",", ":"), ensure_ascii=False)


def write(directory: Path) -> list[Path]:
    """Write the templates and the README that says how to deploy them; the files that were written."""
    templates = portable_templates()
    texts = {file_name(name): text_of(template) for name, template in templates.items()}
    texts["README.md"] = readme(
        {file_name(name): template for name, template in templates.items()},
        {"new": file_name(NEW_VPC), "existing": file_name(EXISTING_VPC), "lustre": file_name(LUSTRE)},
    )
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in texts]
