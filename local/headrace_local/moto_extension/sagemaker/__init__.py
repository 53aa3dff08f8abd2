"""Training jobs of SageMaker: refused as the service refuses them, run by :mod:`headrace_local.runner`.

In moto a job is Completed as soon as it is asked for, a second one of the same name takes its place, and none stops.
"""

from headrace_local.moto_extension.sagemaker import api


def install() -> None:
    """Put the service's training jobs in the place of moto's."""
    api.install()
