"""Every rule by its id, with a title and where it comes from; docs/rules.md is made of it.

An id is what somebody looks up when a deployment is refused, so it must lead to one page and one reason. Ids are
never used twice for different rules, nor given again. ``python -m headrace.rules.catalogue`` prints the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import headrace.rules
from headrace.rules.finding import Rule

_FSX: Final = "Amazon FSx API Reference, CreateFileSystem"
_DRA: Final = "Amazon FSx API Reference, CreateDataRepositoryAssociation"
_DRA_GUIDE: Final = "FSx for Lustre User Guide, Linking your file system to an S3 bucket"
_LUSTRE_GUIDE: Final = "FSx for Lustre User Guide"
_EFS: Final = "Amazon EFS API Reference, CreateFileSystem"
_VPC: Final = "Amazon EC2 API Reference"
_ZONES: Final = "Amazon EC2 User Guide, Regions and Zones"
_SAGEMAKER: Final = "Amazon SageMaker API Reference, CreateTrainingJob"
_CHANNEL: Final = "Amazon SageMaker API Reference, Channel"
_S3_SOURCE: Final = "Amazon SageMaker API Reference, S3DataSource"
_FILE_SYSTEM: Final = "Amazon SageMaker API Reference, FileSystemDataSource"
_TRAINING_GUIDE: Final = "Amazon SageMaker Developer Guide"
_MANIFESTS: Final = f"{_TRAINING_GUIDE}, augmented manifest files"
_S3_NAMES: Final = "Amazon S3 User Guide, Bucket naming rules"
_S3_KEYS: Final = "Amazon S3 User Guide, Naming Amazon S3 objects"
_STATES: Final = "AWS Step Functions Developer Guide"
_OURS: Final = "headrace"


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule's one-line title, and the document that says so (``headrace`` for a decision of ours)."""

    title: str
    source: str


CATALOGUE: Final[Mapping[str, Entry]] = {
    "V1": Entry("The deployment type is SCRATCH_2 or PERSISTENT_2", _OURS),
    "V2": Entry("The storage capacity is legal", _FSX),
    "V3": Entry("Throughput per TiB is given for PERSISTENT_2 and for nothing else", _FSX),
    "V4": Entry("A KMS key is given for PERSISTENT_2 only", _FSX),
    "V5": Entry("Storage is SSD", _OURS),
    "V6": Entry("Compression is NONE or LZ4", _FSX),
    "V7": Entry("Lustre backups are not offered", _OURS),
    "V8": Entry("Weekly maintenance starts at d:HH:MM", _FSX),
    "V9": Entry("Lustre is version 2.15", _OURS),
    "V10": Entry("A Lustre lies in one subnet, behind 1 to 50 security groups", _FSX),
    "V11": Entry("Ids of existing resources are legal", "Amazon EC2, FSx and EFS API References, resource ids"),
    "V12": Entry("The legacy link (ImportPath and its options) is not offered", _OURS),
    "V13": Entry("The folder that a link shows is legal in S3 and as a path", _S3_KEYS),
    "V16": Entry("Links exclude ImportPath and SCRATCH_1", _DRA),
    "V17": Entry("A file system has at most eight links", _DRA_GUIDE),
    "V18": Entry("Links do not overlap, and their paths are absolute", _DRA),
    "V19": Entry("The buckets of a job exist", _OURS),
    "V20": Entry("Automatic import stays in one Region", _DRA_GUIDE),
    "V21": Entry("A link to another Region has a price", "Amazon S3 pricing, data transfer"),
    "V24": Entry("A bucket's key lets the link in", f"{_LUSTRE_GUIDE}, server-side encrypted Amazon S3 buckets"),
    "V26": Entry("The data set fills at most nine tenths of the Lustre", _OURS),
    "V27": Entry("Objects of a job are not archived", "Amazon S3 User Guide, Restoring an archived object"),
    "V28": Entry("Prefixes are legal as paths", "POSIX.1-2017, 3.170 Filename"),
    "V29": Entry("An existing network takes no settings of a new one", _OURS),
    "V30": Entry("A Lustre is not restored from a backup", _OURS),
    "V31": Entry("A file system lies in the job's VPC", _FILE_SYSTEM),
    "V32": Entry("A file system has interfaces in the job's zones", f"{_LUSTRE_GUIDE}, accessing file systems"),
    "V33": Entry(
        "Job and file system open the road's ports to each other",
        f"{_LUSTRE_GUIDE}, access control with Amazon VPC; Amazon EFS User Guide, VPC security groups",
    ),
    "V35": Entry(
        "The channels of a job meet in a zone",
        f"{_LUSTRE_GUIDE}, accessing file systems; Amazon EFS User Guide, mount targets",
    ),
    "V36": Entry("Each subnet has room for what lives in it", f"{_VPC}, CreateSubnet"),
    "V37": Entry("The VPC has DNS hostnames", "Amazon VPC User Guide, DNS attributes for your VPC"),
    "V38": Entry("The capacity is within the default quota", "FSx for Lustre User Guide, Quotas"),
    "V39": Entry("The EFS performance mode fits the other modes", _EFS),
    "V40": Entry("The EFS throughput mode and its value fit", _EFS),
    "V41": Entry("A KMS key for EFS needs encryption", _EFS),
    "V43": Entry("An existing EFS takes no settings", _OURS),
    "V44": Entry("EFS has a mount target per zone, One Zone exactly one", _EFS),
    "V45": Entry("A file system can be mounted in the job's zones", "Amazon EFS User Guide, Managing mount targets"),
    "V47": Entry(
        "The Lustre's mount name is the recorded one", "Amazon FSx API Reference, LustreFileSystemConfiguration"
    ),
    "V48": Entry("What a Lustre channel names is there", _DRA_GUIDE),
    "V50": Entry("A job takes at most 16 subnets and 5 security groups", f"{_SAGEMAKER}, VpcConfig"),
    "V51": Entry("A job has 1 to 20 channels", _SAGEMAKER),
    "V52": Entry("The volume holds what File mode copies", f"{_SAGEMAKER}, ResourceConfig"),
    "V53": Entry("Prefixes have no empty folder", _SAGEMAKER),
    "V54": Entry("S3 data lies in the job's Region", f"{_SAGEMAKER}, S3DataSource"),
    "V55": Entry("Spot waits at least as long as it runs", f"{_SAGEMAKER}, StoppingCondition"),
    "V56": Entry("A warm pool is possible, and has a price", f"{_TRAINING_GUIDE}, SageMaker AI managed warm pools"),
    "V57": Entry("The instance type is offered in the job's zones", f"{_VPC}, DescribeInstanceTypeOfferings"),
    "V58": Entry("The job's subnets have a route to S3", f"{_TRAINING_GUIDE}, training jobs in an Amazon VPC"),
    "V59": Entry("The job's name begins with the platform's prefix", _OURS),
    "V60": Entry("A manifest has its form", f"{_S3_SOURCE}, S3Uri"),
    "V64": Entry("Either the capacity or the size of the data set is given", _OURS),
    "V65": Entry("Links have short names, each its own", _OURS),
    "V66": Entry("Link events are NEW, CHANGED and DELETED", _DRA),
    "V67": Entry("A link exports what was asked for, and nothing else", _OURS),
    "V68": Entry("Exporting DELETED deletes S3 objects", f"{_DRA}, AutoExportPolicy"),
    "V69": Entry("Links show data locations only", _OURS),
    "V70": Entry("Bucket names are legal", _S3_NAMES),
    "V71": Entry("Prefixes name a folder, without wildcards of IAM", "IAM User Guide, Policy elements: Resource"),
    "V72": Entry("Another account's bucket needs its owner's consent", "IAM User Guide, Cross account access"),
    "V73": Entry("The key of the data is usable", "Amazon S3 User Guide, Using SSE-KMS"),
    "V74": Entry("A new network names its zones once", _OURS),
    "V75": Entry("Zone names are legal", _ZONES),
    "V76": Entry("Zone ids are legal", _ZONES),
    "V77": Entry("The CIDR block is legal", f"{_VPC}, CreateVpc"),
    "V78": Entry("An existing network is given whole", _OURS),
    "V79": Entry("Interface endpoints are known services", "AWS PrivateLink Guide, AWS services"),
    "V80": Entry("The channels of a job have objects", _OURS),
    "V81": Entry("A job reads the platform's data locations", _OURS),
    "V82": Entry("The execution role exists", _OURS),
    "V83": Entry("The image exists", _OURS),
    "V84": Entry("The job's name is free", _SAGEMAKER),
    "V85": Entry("The request fits the service model", _SAGEMAKER),
    "V86": Entry("The EFS lifecycle is one that EFS offers", "Amazon EFS API Reference, LifecyclePolicy"),
    "V87": Entry("EFS backup is on or off", _EFS),
    "V88": Entry("The zones lie in the network's Region", _ZONES),
    "V89": Entry("The platform's key lies in its Region", "Amazon S3 User Guide, Using SSE-KMS"),
    "V90": Entry("The Region is not in China", _OURS),
    "V91": Entry("Another account's key needs its owner's consent", "AWS KMS Developer Guide, Cross-account access"),
    "V92": Entry("A manifest is UTF-8 without a byte order mark", "RFC 8259, 8.1 Character Encoding"),
    "V93": Entry("A manifest's prefix makes keys", f"{_S3_SOURCE}, S3Uri"),
    "V94": Entry("A manifest's entries are keys", _S3_KEYS),
    "V95": Entry("A manifest names no object twice", _OURS),
    "V96": Entry("A manifest's objects exist", f"{_S3_SOURCE}, S3Uri"),
    "V97": Entry("A manifest and its objects lie in the job's Region", f"{_S3_SOURCE}, S3Uri"),
    "V98": Entry("An augmented manifest has the attributes", _MANIFESTS),
    "V99": Entry("A manifest keeps the limits", f"{_TRAINING_GUIDE}, input manifest files of Ground Truth"),
    "V101": Entry("Roles of own ingestion have short names", _OURS),
    "V102": Entry("A platform has at most five roles of own ingestion", _OURS),
    "V103": Entry("Roles of own ingestion name their actions", "IAM User Guide, Policy elements: Action"),
    "V104": Entry("Roles of own ingestion have no rights on rights", "IAM User Guide, Security best practices"),
    "V105": Entry("Roles of own ingestion name their resources", "IAM User Guide, Policy elements: Resource"),
    "V106": Entry("Conditions of own ingestion are IAM's", "IAM User Guide, Policy elements: Condition operators"),
    "V107": Entry("A channel has one source", f"{_CHANNEL}, DataSource"),
    "V108": Entry("The input mode goes with the source", f"{_CHANNEL}, InputMode"),
    "V109": Entry("The data type goes with the input mode", f"{_S3_SOURCE}, S3DataType"),
    "V110": Entry("A channel says only what its road takes", _CHANNEL),
    "V111": Entry("An augmented manifest names its attributes", f"{_S3_SOURCE}, AttributeNames"),
    "V112": Entry("Attributes are kept apart", _MANIFESTS),
    "V113": Entry("Shuffling has an effect", "Amazon SageMaker API Reference, ShuffleConfig"),
    "V114": Entry("A path in a file system is one", f"{_FILE_SYSTEM}, DirectoryPath"),
    "V115": Entry("Channels have names of their own", _CHANNEL),
    "V116": Entry("Spot saves its work", f"{_TRAINING_GUIDE}, Managed Spot Training"),
    "V117": Entry("Either one instance type, or instance groups", f"{_SAGEMAKER}, ResourceConfig"),
    "V118": Entry("Channels go to groups that the job has", f"{_S3_SOURCE}, InstanceGroupNames"),
    "V119": Entry("The volume's key is possible", f"{_SAGEMAKER}, ResourceConfig"),
    "V120": Entry("An isolated job brings its data by channels", f"{_SAGEMAKER}, EnableNetworkIsolation"),
    "V121": Entry("Retries are new tries", _OURS),
    "V122": Entry("Sharding has shares", f"{_S3_SOURCE}, S3DataDistributionType"),
    "V123": Entry("The zones that a job names are the platform's", _OURS),
    "V124": Entry("The platform has the link that a channel names", _OURS),
    "V125": Entry("The platform has an EFS where a channel reads one", _OURS),
    "V126": Entry("Each instance gets an object", f"{_S3_SOURCE}, S3DataDistributionType"),
    "V127": Entry("A job writes where the platform's roles may", _OURS),
    "V128": Entry("The job's subnets and group are there", f"{_SAGEMAKER}, VpcConfig"),
    "V129": Entry("The platform has the role that a job needs", _OURS),
    "V130": Entry("No object is also a folder", _S3_KEYS),
    "V131": Entry("Zones to be tried are zones where the job can run", _OURS),
    "V132": Entry("The file systems of a job are available", _FILE_SYSTEM),
    "V133": Entry("The links of a job are in order", "Amazon FSx API Reference, DataRepositoryAssociation"),
    "V134": Entry("A place in S3 is s3://bucket/prefix, or a prefix", _S3_NAMES),
    "V135": Entry("A job file gives one name", f"{_SAGEMAKER}, TrainingJobName"),
    "V136": Entry("A job runs its code, or a command", f"{_SAGEMAKER}, AlgorithmSpecification"),
    "V137": Entry("The job's code can be shipped", _OURS),
    "V138": Entry("Tags are neither AWS's nor headrace's", "AWS General Reference, Tag naming limits and requirements"),
    "V139": Entry("A metric has a number", "Amazon SageMaker API Reference, MetricDefinition"),
    "V140": Entry(
        "FastFile prefixes are folders", f"{_TRAINING_GUIDE}, How Amazon SageMaker AI Provides Training Information"
    ),
    "V141": Entry("A job and its groups have instances", f"{_SAGEMAKER}, ResourceConfig"),
    "V142": Entry("A job ends after 28 days", f"{_SAGEMAKER}, StoppingCondition"),
    "V143": Entry("Checkpoints have a folder of their own", f"{_TRAINING_GUIDE}, default paths for training storage"),
    "V144": Entry("Image and keys are in the job's Region", f"{_SAGEMAKER}, AlgorithmSpecification and ResourceConfig"),
    "V145": Entry("The lineage of a job is not overwritten", _OURS),
    "V146": Entry("The role of own ingestion is used", _OURS),
    "V147": Entry("Network ACLs let the road's ports pass", "Amazon VPC User Guide, Network ACL rules"),
    "V148": Entry(
        "The policy of an EFS lets jobs in", "Amazon EFS User Guide, Using IAM to control file system data access"
    ),
    "V149": Entry("What the rules need to know may be looked up", _OURS),
    "V150": Entry("An ephemeral Lustre needs the platform's machines", _OURS),
    "V151": Entry("An ephemeral Lustre has a channel", _OURS),
    "V152": Entry("An ephemeral Lustre is not above the cap in GiB", _OURS),
    "V153": Entry("An ephemeral Lustre is not above the cap in hours", _OURS),
    "V154": Entry("The name of a flow has 50 characters", _OURS),
    "V155": Entry("The request of a flow is short", f"{_STATES}, Service quotas"),
    "V156": Entry("The machine may pass the job's role", _OURS),
    "V157": Entry("Step Functions is taken to know the members of a flow's requests", _OURS),
    "V158": Entry("A flow has attempts of its own", _OURS),
    "V159": Entry("The zone of an ephemeral Lustre is the platform's", _OURS),
    "V160": Entry("The lifetime of an ephemeral Lustre is long enough", _OURS),
    "V170": Entry("The spending cap lets file systems live", f"{_LUSTRE_GUIDE}, Quotas"),
    "V171": Entry("The smallest file system fits below the spending cap", f"{_LUSTRE_GUIDE}, Quotas"),
    "V172": Entry("An ephemeral file system lives for a week at most", _OURS),
    "V173": Entry("An idle Lustre is told of within a week", "Amazon CloudWatch User Guide, Evaluating an alarm"),
    "V174": Entry("There is data that an ephemeral Lustre may show", _OURS),
    "V175": Entry("The jobs of a flow have room for its tags", f"{_SAGEMAKER}, Tags"),
    "V176": Entry("The spending cap has room for one more ephemeral file system", _OURS),
    "V180": Entry("Pipe mode is not read at random", f"{_TRAINING_GUIDE}, Choosing an input mode and a storage unit"),
    "V181": Entry("A road begins where the data lies", _CHANNEL),
    "V182": Entry("The copy of File mode fits on the instance", "Amazon EBS User Guide, volume types"),
    "V183": Entry("A job ends within 28 days", "Amazon SageMaker API Reference, StoppingCondition"),
}


def rules_by_module() -> dict[str, list[Rule[Any]]]:
    """Every rule there is, by the name of the module that defines it."""
    found: dict[str, list[Rule[Any]]] = {}
    for module in iter_modules(headrace.rules.__path__):
        members = vars(import_module(f"headrace.rules.{module.name}")).values()
        rules = [each for each in members if isinstance(each, Rule)]
        if rules:
            found[module.name] = rules
    return found


def render() -> str:
    """The page docs/rules.md: a line for each rule id, in the order of their numbers."""
    lines = [_HEAD]
    by_module = rules_by_module()
    for rule_id, entry in sorted(CATALOGUE.items(), key=lambda item: int(item[0].removeprefix("V"))):
        checks = " ".join(_details(by_module, rule_id))
        lines.append(f"| {rule_id} | {entry.title} | {checks} | {entry.source} |\n")
    return "".join(lines)


def _details(by_module: Mapping[str, list[Rule[Any]]], rule_id: str) -> Iterator[str]:
    for name, rules in by_module.items():
        for each in (each for each in rules if each.rule_id == rule_id):
            yield f"`{name}`: {(each.check.__doc__ or '').strip()}"


_HEAD: Final = """# Rules

Each rule looks at settings before anything is deployed or launched. ERROR refuses them, WARNING names a price, INFO a
condition. A finding says field, value, what is allowed and the fix, and begins with the id below. A rule can be
suppressed by its id, with a reason. Values that only the deployment knows are not checked. Numbers that are missing
belong to rules that are not written yet, or that were joined with others.

This page is made by `python -m headrace.rules.catalogue`.

| id | rule | what is checked, by module of `headrace.rules` | source |
|---|---|---|---|
"""


if __name__ == "__main__":
    sys.stdout.write(render())
