"""The errors of the service, by its own codes. Source: Amazon FSx API Reference and the botocore service model."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class FsxError(JsonRESTError):  # type: ignore[misc]
    """An error with a code and a message; the code is the class's name."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__(type(self).__name__, message)


class BadRequest(FsxError):
    """A generic error of the request."""


class FileSystemNotFound(FsxError):
    """No such file system, or no more."""


class DataRepositoryAssociationNotFound(FsxError):
    """No such link, or no more."""


class IncompatibleParameterError(FsxError):
    """A client token that was used before with other parameters."""


class DataRepositoryTaskNotFound(FsxError):
    """No such task."""


class DataRepositoryTaskExecuting(FsxError):
    """A task works on the file system already."""


class DataRepositoryTaskEnded(FsxError):
    """The task is over."""


class ResourceNotFound(FsxError):
    """No resource has this ARN."""


class UnsupportedOperation(FsxError):
    """The operation is not supported for this resource."""
