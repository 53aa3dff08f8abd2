"""CloudFormation of the embedded AWS: what moto leaves out or gets wrong for our stacks.

``resource_types`` says how a resource type is added, completed or deleted; ``resources`` makes and deletes one;
``stacks`` makes failures visible and rolls them back; ``functions`` and ``parameters`` work out and check the values
of a template; ``change_sets`` finds change sets by their stack;
``physical_names`` cuts made-up names to size. The types themselves stand beside their services.
"""

from headrace_local.moto_extension.cloudformation import (
    change_sets,
    functions,
    physical_names,
    resource_types,
    resources,
    stacks,
)


def install() -> None:
    """Put the repairs into moto."""
    resource_types.install()
    functions.install()
    physical_names.install()
    resources.install()
    stacks.install()
    change_sets.install()
