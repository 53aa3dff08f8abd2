"""Parameters of the shared Lustre file system as a self-contained template: place, size, link, alarm."""

from __future__ import annotations

from headrace.rules.idle_alarm import LONGEST_HOURS
from headrace.rules.lustre import (
    DEFAULT_QUOTA_GIB,
    DEPLOYMENT_TYPES,
    PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB,
    SCRATCH_2,
)
from headrace.rules.lustre_sizing import SMALLEST_GIB, STEP_GIB
from headrace_cdk.dataset_bucket import DATA_PREFIX

from stacks.names import allowed, pattern
from stacks.portable.parameters import ParameterGroup, TemplateParameter

NO_AUTO_IMPORT = "NONE"
AUTO_IMPORT_EVENTS = {
    "NEW": ("NEW",),
    "NEW-CHANGED": ("NEW", "CHANGED"),
    "NEW-CHANGED-DELETED": ("NEW", "CHANGED", "DELETED"),
}
"""AutoImport -> which changes of the bucket the file system follows."""
_DIRECTORY = r"(?!\.{1,2}(/|$))[A-Za-z0-9._-]+"

PLACE = ParameterGroup(
    label="Place",
    parameters=(
        TemplateParameter(
            name="FoundationStackName",
            label="Stack of the foundation",
            description="Name of the stack that was made from the foundation template, in the same account and Region",
            constraint="the name of a stack: 1 to 128 letters, digits and hyphens, a letter first",
            allowed_pattern="^[A-Za-z][A-Za-z0-9-]{0,127}$",
        ),
        TemplateParameter(
            name="ZoneNumber",
            label="Zone",
            description="In which of the foundation's two zones the file system stands; its jobs run there",
            default="1",
            allowed_values=("1", "2"),
        ),
    ),
)
SIZE = ParameterGroup(
    label="Size",
    parameters=(
        TemplateParameter(
            name="DeploymentType",
            label="Deployment type",
            description="SCRATCH_2, or PERSISTENT_2 (SSD) for a file system that lives long",
            default=SCRATCH_2,
            allowed_values=DEPLOYMENT_TYPES,
        ),
        TemplateParameter(
            name="StorageCapacityGib",
            label="Capacity",
            description="GiB; a data set should fill at most nine tenths. Paid by the hour from the moment it exists",
            type="Number",
            default=SMALLEST_GIB,
            allowed_values=(SMALLEST_GIB, *range(STEP_GIB, DEFAULT_QUOTA_GIB + 1, STEP_GIB)),
        ),
        TemplateParameter(
            name="PerUnitStorageThroughput",
            label="Throughput",
            description="MB/s per TiB, with PERSISTENT_2; 0 with SCRATCH_2, which always has 200",
            type="Number",
            default=0,
            allowed_values=(0, *PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB),
        ),
        TemplateParameter(
            name="DataCompressionType",
            label="Compression",
            description="LZ4 saves space and network; NONE for data that is compressed already",
            default="NONE",
            allowed_values=("NONE", "LZ4"),
        ),
    ),
)
LINK = ParameterGroup(
    label="Link to S3",
    parameters=(
        TemplateParameter(
            name="LinkPath",
            label="Path",
            description="Directory of the file system that shows the data",
            constraint="a path such as /data, of letters, digits and ._-",
            default="/data",
            allowed_pattern=f"^(/{_DIRECTORY})+$",
        ),
        TemplateParameter(
            name="DataPrefix",
            label="Prefix",
            description=f"Prefix of the foundation's bucket that is shown there, {DATA_PREFIX} or below it",
            constraint=f"{DATA_PREFIX} or a prefix below it, such as {DATA_PREFIX}images/, of letters, digits and ._-",
            default=DATA_PREFIX,
            allowed_pattern=f"^{DATA_PREFIX}({_DIRECTORY}/)*$",
        ),
        TemplateParameter(
            name="AutoImport",
            label="Follow the bucket",
            description="Which changes of the bucket show up by themselves, later than at creation",
            default=NO_AUTO_IMPORT,
            allowed_values=(NO_AUTO_IMPORT, *AUTO_IMPORT_EVENTS),
        ),
    ),
)
IDLE_ALARM = ParameterGroup(
    label="Alarm",
    parameters=(
        TemplateParameter(
            name="IdleAlarmHours",
            label="Hours",
            description="An alarm of CloudWatch goes off when the file system had no client for so many hours",
            type="Number",
            default=6,
            constraint=f"1 to {LONGEST_HOURS}",
            min_value=1,
            max_value=LONGEST_HOURS,
        ),
        TemplateParameter(
            name="AlarmTopicArn",
            label="Topic",
            description="ARN of a topic of SNS in the same Region that the alarm tells; empty: it shows in the console",
            constraint=f"empty, or {allowed('alarms.topic_arn')}",
            default="",
            allowed_pattern=f"^({pattern('alarms.topic_arn')})?$",
        ),
    ),
)
