"""What an ephemeral file system is linked to: the folders that its channels read, and no more.

A link of the platform may show terabytes of which a job reads a folder. So each folder gets an association of its
own, at the path that it has below the link: the job finds it where the shared file system shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headrace.platform import LustreLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A data repository association to be: ``path`` in the file system shows what lies below ``prefix``.

    ``field``: who asked for it first, for findings.
    """

    path: str
    bucket: str
    prefix: str
    field: str = ""

    @property
    def uri(self) -> str:
        """DataRepositoryPath."""
        return f"s3://{self.bucket}/{self.prefix}"

    def shows(self, other: Association) -> bool:
        """Whether everything that ``other`` shows is in this one."""
        return _folder(other.path).startswith(_folder(self.path))


def association_of(link: LustreLink, below: str, field: str = "") -> Association:
    """The association for what lies ``below`` a link; all of it where ``below`` is empty."""
    folder = below.strip("/")
    path = "/".join(("", *filter(None, (link.path.strip("/"), folder))))
    prefix = f"{link.prefix}{folder}/" if folder else link.prefix
    return Association(path=path or "/", bucket=link.bucket, prefix=prefix, field=field)


def without_overlap(wanted: Iterable[Association]) -> tuple[Association, ...]:
    """The fewest that show all that is wanted: FSx refuses a folder that lies in another's."""
    kept: list[Association] = []
    for each in wanted:
        if not any(other.shows(each) for other in kept):
            kept = [*(other for other in kept if not each.shows(other)), each]
    return tuple(kept)


def plain(associations: Sequence[Association]) -> list[dict[str, str]]:
    """As the machine takes them."""
    return [{"FileSystemPath": each.path, "DataRepositoryPath": each.uri} for each in associations]


def _folder(path: str) -> str:
    return f"{path.rstrip('/')}/"
