"""Manifests: lists of S3 objects that a channel reads, made and checked without ever holding one in memory.

SageMaker knows two forms. A ManifestFile is a JSON array of a prefix and entries that are joined to it; an
AugmentedManifestFile has a JSON object on each line, whose ``-ref`` attributes name objects and whose other attributes
are labels. SageMaker finds what is wrong with one when the job has started; the check here finds it before, all of
it in one run. Both directions stream: five million lines need a few tens of megabytes.

Reading: text -> json_array or json_lines -> plain or augmented -> references -> objects -> check (the report).
Writing: entries or labels -> writing -> delivery (a file, standard output or S3: whole, or not at all).
"""

from headrace.manifests.augmented import AugmentedManifest
from headrace.manifests.check import Lookup, ManifestReport, check_manifest
from headrace.manifests.objects import ObjectStore
from headrace.manifests.plain import PlainManifest

__all__ = ["AugmentedManifest", "Lookup", "ManifestReport", "ObjectStore", "PlainManifest", "check_manifest"]
