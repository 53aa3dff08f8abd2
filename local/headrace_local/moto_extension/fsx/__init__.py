"""FSx for Lustre: file systems with a life cycle and mount names, links to S3, and the service's errors.

moto keeps a record of a file system and nothing else. ``file_systems``, ``associations`` and ``tasks`` hold records
that know their own life cycle, ``store`` keeps them, ``api`` answers requests, ``resource_types`` makes them from
CloudFormation, ``failures`` lets their creation fail, ``connections`` counts clients for CloudWatch.
"""

from headrace_local.moto_extension.fsx import api, connections, resource_types


def install() -> None:
    """Put the service in the place of moto's."""
    api.install()
    resource_types.install()
    connections.install()
