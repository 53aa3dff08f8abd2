"""Least privilege, to the letter: who may do what on which resource, and who is trusted."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk.assertions import Match, Template
from headrace.errors import InvalidInput
from headrace.platform import DataLocation
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.ingestion import IngestionStatement
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.policy_size import policy_characters
from headrace_cdk.roles import TrainingRoles
from headrace_cdk.user_policy import UserPolicy

from tests.rights import Rights, as_text, rights_of

ACCOUNT, REGION = "123456789012", "us-east-1"
BUCKET = "training-data-bucket"
LOCATIONS = [
    DataLocation(bucket=BUCKET, prefix="data/"),
    DataLocation(bucket="elsewhere-bucket", prefix="sets/birds/"),
]
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-0000-0000-000000000000"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/trainer"
SUBNET = "subnet-0123456789abcdef0"
NETWORK = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    subnets=(JobSubnet(key=SUBNET, subnet_id=SUBNET, az_id="use1-az1"),),
    route_table_ids=("rtb-0123456789abcdef0",),
)


def _stack(**props: Any) -> Stack:
    stack = Stack(App(), "Test", env=Environment(account=ACCOUNT, region=REGION))
    shared: dict[str, Any] = {
        "platform": "dev",
        "network": Network(stack, "Network", existing=props.pop("network", NETWORK)),
        "bucket_name": BUCKET,
        "data_locations": props.pop("data_locations", LOCATIONS),
        "job_name_prefix": "dev-",
        "image_repository_arns": [REPOSITORY],
        "kms_key_arns": props.pop("kms_key_arns", ()),
        "data_kms_key_arns": props.pop("data_kms_key_arns", ()),
        "naming": props.pop("naming", None),
        "require_vpc": props.pop("require_vpc", False),
    }
    roles = TrainingRoles(stack, "Roles", **shared, **props)
    UserPolicy(stack, "User", roles=roles, **shared)
    return stack


@cache
def _default() -> Template:
    return Template.from_stack(_stack())


def _prefixes(*prefixes: str) -> dict[str, Any]:
    return {"StringLike": {"s3:prefix": list(prefixes)}}


def test_rights_that_every_job_has_are_exact() -> None:
    """Log, metrics, image and its own objects: nothing of the data, nothing of the network."""
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"
    assert rights_of(_default(), "RolesBasics") == {
        "WriteTheLog": (
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [logs, f"{logs}:log-stream:*"],
            None,
        ),
        "PublishMetrics": (
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}},
        ),
        "LogInToRegistries": (["ecr:GetAuthorizationToken"], ["*"], None),
        "PullTheImage": (
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [REPOSITORY],
            None,
        ),
        "ListCodeOutputAndCheckpoints": (
            ["s3:ListBucket"],
            [f"arn:aws:s3:::{BUCKET}"],
            _prefixes("code/*", "output/*", "checkpoints/*"),
        ),
        "ReadCodeAndCheckpoints": (
            ["s3:GetObject"],
            [f"arn:aws:s3:::{BUCKET}/code/*", f"arn:aws:s3:::{BUCKET}/checkpoints/*"],
            None,
        ),
        "WriteOutputAndCheckpoints": (
            ["s3:PutObject"],
            [f"arn:aws:s3:::{BUCKET}/output/*", f"arn:aws:s3:::{BUCKET}/checkpoints/*"],
            None,
        ),
    }


def test_rights_in_the_network_are_exact() -> None:
    """Interfaces in the platform's subnets and group, and looking at what lies around them."""
    interfaces = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*"
    assert rights_of(_default(), "RolesNetwork") == {
        "CreateInterfacesHere": (
            ["ec2:CreateNetworkInterface"],
            [
                interfaces,
                f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/{SUBNET}",
                f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/<NetworkSecurityGroupsJobs>",
            ],
            None,
        ),
        "HandInterfacesToSageMaker": (
            ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
            [interfaces],
            None,
        ),
        "LookAtNetworkAndLeaveIt": (
            [
                "ec2:DeleteNetworkInterfacePermission",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
            None,
        ),
    }


def test_rights_on_the_data_are_exact() -> None:
    """Each data location is listed below its prefix and read there; nothing is written."""
    assert rights_of(_default(), "RolesData") == {
        "ListData0": (["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"], _prefixes("data/*")),
        "ListData1": (["s3:ListBucket"], ["arn:aws:s3:::elsewhere-bucket"], _prefixes("sets/birds/*")),
        "ReadTheData": (
            ["s3:GetObject"],
            [f"arn:aws:s3:::{BUCKET}/data/*", "arn:aws:s3:::elsewhere-bucket/sets/birds/*"],
            None,
        ),
    }


@pytest.mark.parametrize(
    ("require_vpc", "role", "policies"),
    [
        (False, "RolesS3", {"RolesBasics", "RolesData"}),
        (False, "RolesFileSystems", {"RolesBasics", "RolesNetwork"}),
        (False, "RolesBoth", {"RolesBasics", "RolesData", "RolesNetwork"}),
        (True, "RolesS3", {"RolesBasics", "RolesData", "RolesNetwork"}),
    ],
)
def test_roles_have_the_rights_of_their_reach_and_no_others(require_vpc: bool, role: str, policies: set[str]) -> None:
    """Rights on the data for roles that read S3, rights in EC2 for those whose jobs are attached to the network."""
    template = Template.from_stack(_stack(require_vpc=require_vpc)) if require_vpc else _default()
    (found,) = (each for key, each in template.find_resources("AWS::IAM::Role").items() if key.startswith(role))
    attached = {as_text(each).strip("<>") for each in found["Properties"]["ManagedPolicyArns"]}
    assert attached == policies
    assert "Policies" not in found["Properties"]
    assert not template.find_resources("AWS::IAM::Policy")


def test_only_training_jobs_of_this_platform_are_trusted() -> None:
    """SageMaker may assume a role for jobs of this account whose name begins with the prefix."""
    for role in _default().find_resources("AWS::IAM::Role").values():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        source_arn = as_text(statement["Condition"].pop("ArnLike")["aws:SourceArn"])
        assert source_arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/dev-*"
        assert statement == {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }


def test_user_policy_is_exact() -> None:
    """Whoever launches may do what the job side calls, on this platform's things, and hand over its roles."""
    jobs = [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/dev-*"]
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"
    roles = ["<RolesS>", "<RolesFileSystems>", "<RolesBoth>"]
    rights = rights_of(_default(), "UserPolicy")
    assert not [resource for _, found, _ in rights.values() for resource in found if resource.startswith("arn:aws:s3")]
    guard_rails = rights["CreateJobsHere"][2]
    assert rights == {
        "ReadThePlatformRecord": (
            ["ssm:GetParametersByPath"],
            [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/headrace/dev{slash}" for slash in ("", "/")],
            None,
        ),
        "CreateJobsHere": (["sagemaker:CreateTrainingJob"], jobs, guard_rails),
        "FollowAndStopJobs": (
            [
                "sagemaker:AddTags",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:ListTags",
                "sagemaker:StopTrainingJob",
            ],
            jobs,
            None,
        ),
        "ListJobs": (["sagemaker:ListTrainingJobs"], ["*"], None),
        "CheckTheRoles": (["iam:GetRole"], roles, None),
        "PassTheRoles": (
            ["iam:PassRole"],
            roles,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        "ReadJobLogs": (
            ["logs:DescribeLogStreams", "logs:GetLogEvents"],
            [f"{logs}:*", f"{logs}:log-stream:*"],
            None,
        ),
        "CheckImages": (["ecr:BatchGetImage"], [REPOSITORY], None),
        "LookAtNetwork": (
            [
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcAttribute",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcs",
            ],
            ["*"],
            None,
        ),
        "LookAtFileSystems": (
            [
                "elasticfilesystem:DescribeFileSystemPolicy",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeMountTargets",
                "fsx:DescribeDataRepositoryAssociations",
                "fsx:DescribeFileSystems",
            ],
            ["*"],
            None,
        ),
        "LookAtInstanceTypes": (["ec2:DescribeInstanceTypeOfferings"], ["*"], None),
    }


def test_rights_of_people_on_s3_are_exact() -> None:
    """They list data and read manifests, write manifests, code and nothing else, and read what jobs have made."""
    assert rights_of(_default(), "UserDataPolicy") == {
        "ListData0": (["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"], _prefixes("data/*")),
        "ListData1": (["s3:ListBucket"], ["arn:aws:s3:::elsewhere-bucket"], _prefixes("sets/birds/*")),
        "UploadCode": (["s3:DeleteObject", "s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/code/*"], None),
        "FetchResults": (["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/output/*"], None),
        "ReadManifests": (
            ["s3:GetObject"],
            [f"arn:aws:s3:::{BUCKET}/data/*.manifest", "arn:aws:s3:::elsewhere-bucket/sets/birds/*.manifest"],
            None,
        ),
        "WriteManifests": (["s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/data/*.manifest"], None),
    }


@pytest.mark.parametrize("require_vpc", [False, True])
def test_jobs_stay_in_the_platforms_network(require_vpc: bool) -> None:
    """A job that names subnets names the platform's; whether it may name none is a choice."""
    template = Template.from_stack(_stack(require_vpc=require_vpc))
    condition = rights_of(template, "UserPolicy")["CreateJobsHere"][2]
    assert condition is not None
    assert condition["ForAllValues:StringEquals"]["sagemaker:VpcSubnets"] == [SUBNET]
    assert "SecurityGroupsJobs" in json.dumps(condition["ForAllValues:StringEquals"]["sagemaker:VpcSecurityGroupIds"])
    null = {"sagemaker:VpcSecurityGroupIds": "false", "sagemaker:VpcSubnets": "false"}
    assert condition.get("Null") == (null if require_vpc else None)


def test_without_file_systems_there_is_one_role() -> None:
    """Roads that are switched off leave neither roles nor rights to pass them, nor a right in EC2 to any role."""
    template = Template.from_stack(_stack(file_systems=False))
    assert not [key for key in template.find_resources("AWS::IAM::ManagedPolicy") if key.startswith("RolesNetwork")]
    (role,) = template.find_resources("AWS::IAM::Role")
    assert role.startswith("RolesS3")
    assert rights_of(template, "UserPolicy")["PassTheRoles"][1] == ["<RolesS>"]


WAREHOUSE = IngestionStatement(
    actions=["redshift-data:GetStatementResult", "redshift-data:ExecuteStatement"],
    resources=[f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:warehouse"],
    conditions={"StringEquals": {"aws:SourceVpc": ("vpc-0123456789abcdef0",)}},
)
STATUS = IngestionStatement(
    actions=["redshift-data:DescribeStatement"], resources=["*"], reason="DescribeStatement takes no resource"
)


@pytest.mark.parametrize("file_systems", [True, False])
def test_own_ingestion_adds_a_role_that_reads_in_the_network(file_systems: bool) -> None:
    """It has the rights of a job on S3 and in the network and its own statements, exactly, and may be passed."""
    template = Template.from_stack(_stack(file_systems=file_systems, ingestion={"warehouse": [WAREHOUSE, STATUS]}))
    assert rights_of(template, "RolesIngestwarehouse") == {
        "Ingest0": (
            ["redshift-data:ExecuteStatement", "redshift-data:GetStatementResult"],
            [f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:warehouse"],
            {"StringEquals": {"aws:SourceVpc": ["vpc-0123456789abcdef0"]}},
        ),
        "Ingest1": (["redshift-data:DescribeStatement"], ["*"], None),
    }
    roles = template.find_resources("AWS::IAM::Role")
    (role,) = (each["Properties"] for key, each in roles.items() if key[:-8] == "RolesIngestionwarehouse")
    attached = {as_text(each).strip("<>") for each in role["ManagedPolicyArns"]}
    assert attached == {"RolesBasics", "RolesData", "RolesNetwork", "RolesIngestwarehouse"}
    (s3,) = (each["Properties"] for key, each in roles.items() if key[:-8] == "RolesS3")
    assert role["AssumeRolePolicyDocument"] == s3["AssumeRolePolicyDocument"]
    assert {as_text(each).strip("<>") for each in s3["ManagedPolicyArns"]} == {"RolesBasics", "RolesData"}
    for sid in ("CheckTheRoles", "PassTheRoles"):
        assert "<RolesIngestionwarehouse>" in rights_of(template, "UserPolicy")[sid][1]


def test_own_ingestion_is_named_and_bounded_as_the_account_asks() -> None:
    """Like every other role and policy."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    naming = IamNaming(name_prefix="ml-", path="/ml/", permissions_boundary_arn=boundary)
    template = Template.from_stack(_stack(naming=naming, ingestion={"warehouse": [STATUS]}))
    template.all_resources_properties("AWS::IAM::Role", {"Path": "/ml/", "PermissionsBoundary": boundary})
    template.has_resource_properties("AWS::IAM::Role", {"RoleName": "ml-dev-us-east-1-ingest-warehouse"})
    policy = {"ManagedPolicyName": "ml-dev-us-east-1-training-ingest-warehouse", "Path": "/ml/"}
    template.has_resource_properties("AWS::IAM::ManagedPolicy", policy)


def test_mistakes_of_all_ingestion_roles_come_together() -> None:
    """Everything that would hand the account over is refused by rule id when the construct is made."""
    everything = IngestionStatement(actions=["*"], resources=["*"])
    passing = IngestionStatement(actions=["iam:PassRole"], resources=[f"arn:aws:iam::{ACCOUNT}:role/admin"])
    with pytest.raises(InvalidInput) as caught:
        _stack(ingestion={"all": [everything], "Admin": [passing]})
    assert [problem.split()[0] for problem in caught.value.problems] == ["V103", "V105", "V101", "V104"]


def test_ingestion_on_a_resource_of_the_deployment_is_judged_by_what_is_known() -> None:
    """A token stands for an ARN, and the statements that hold one are taken as they are."""
    stack = Stack(App(), "Other", env=Environment(account=ACCOUNT, region=REGION))
    topic = CfnParameter(stack, "Stream").value_as_string
    statement = IngestionStatement(actions=["kinesis:GetRecords"], resources=[topic])
    network = Network(stack, "Network", existing=NETWORK)
    TrainingRoles(
        stack,
        "Roles",
        platform="dev",
        network=network,
        bucket_name=BUCKET,
        data_locations=LOCATIONS,
        job_name_prefix="dev-",
        ingestion={"stream": [statement]},
    )
    rights = rights_of(Template.from_stack(stack), "RolesIngeststream")
    assert rights == {"Ingest0": (["kinesis:GetRecords"], ["<Stream>"], None)}


def test_own_ingestion_that_is_too_large_names_its_setting() -> None:
    """Ten statements of many resources exceed a managed policy; the error says which and what to shorten."""
    arns = [f"arn:aws:glue:{REGION}:{ACCOUNT}:table/warehouse/table{index}" for index in range(120)]
    with pytest.raises(InvalidInput, match=r"IAM policy dev training-ingest-warehouse is .*own_ingestion"):
        _stack(ingestion={"warehouse": [IngestionStatement(actions=["glue:GetTable"], resources=arns)]})


def test_largest_platform_fits_in_the_users_policies() -> None:
    """Sixteen subnets and five roles of own ingestion, in a network with the longest ids."""
    subnets = tuple(
        JobSubnet(key=f"s{index}", subnet_id=f"subnet-{index:017x}", az_id="use1-az1") for index in range(16)
    )
    network = ExistingNetwork(vpc_id=NETWORK.vpc_id, subnets=subnets, route_table_ids=NETWORK.route_table_ids)
    roles = {f"warehouse-{index}": [WAREHOUSE] for index in range(5)}
    _stack(ingestion=roles, network=network, require_vpc=True, kms_key_arns=[KEY_ARN])


def test_keys_are_used_through_s3_only() -> None:
    """With a key, jobs and people decrypt and encrypt by way of S3 in this Region."""
    template = Template.from_stack(_stack(kms_key_arns=[KEY_ARN]))
    expected = (
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        [KEY_ARN],
        {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
    )
    assert rights_of(template, "RolesBasics")["UseTheBucketsKeys"] == expected
    assert rights_of(template, "UserDataPolicy")["UseTheBucketsKeys"] == expected


def test_volumes_are_encrypted_with_the_platforms_key_by_grants_of_services_only() -> None:
    """SageMaker grants itself the use of the key for a job's volumes; no person may grant anything with it."""
    template = Template.from_stack(_stack(kms_key_arns=[KEY_ARN]))
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert rights_of(template, "RolesBasics")["EncryptVolumes"] == (["kms:CreateGrant"], [KEY_ARN], for_services)
    assert "CreateGrant" not in json.dumps([rights_of(template, each) for each in ("UserPolicy", "UserDataPolicy")])


def test_keys_of_data_locations_decrypt_only_and_stay_with_the_data() -> None:
    """They go to the roles that read S3 and to those who read manifests, and nothing can be written with them."""
    template = Template.from_stack(_stack(data_kms_key_arns=[KEY_ARN, KEY_ARN]))
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    for policy in ("RolesData", "UserDataPolicy"):
        assert rights_of(template, policy)["DecryptTheData"] == (["kms:Decrypt"], [KEY_ARN], through_s3)
    assert "kms:" not in json.dumps(rights_of(template, "RolesBasics"))


def _list_rights(*locations: tuple[str, str]) -> Rights:
    """The rights to list that both policies with data have, for (bucket, prefix) pairs."""
    data = [DataLocation(bucket=bucket, prefix=prefix) for bucket, prefix in locations]
    template = Template.from_stack(_stack(data_locations=data))
    rights = [
        {sid: right for sid, right in rights_of(template, policy).items() if sid.startswith("ListData")}
        for policy in ("RolesData", "UserDataPolicy")
    ]
    assert rights[0] == rights[1]
    return rights[0]


def test_locations_of_one_bucket_are_one_statement() -> None:
    """Many folders of one bucket cost their prefixes, not a statement each."""
    rights = _list_rights(("a-bucket", "x/"), ("b-bucket", "data/"), ("a-bucket", "y/"))
    assert rights == {
        "ListData0": (["s3:ListBucket"], ["arn:aws:s3:::a-bucket"], _prefixes("x/*", "y/*")),
        "ListData1": (["s3:ListBucket"], ["arn:aws:s3:::b-bucket"], _prefixes("data/*")),
    }


def test_whole_bucket_is_listed_without_a_condition() -> None:
    """A listing that names no prefix would fail a condition on the prefix, even on ``*``."""
    rights = _list_rights(("a-bucket", "x/"), ("a-bucket", ""))
    assert rights == {"ListData0": (["s3:ListBucket"], ["arn:aws:s3:::a-bucket"], None)}


def test_enterprise_naming_reaches_roles_and_policies() -> None:
    """Prefix, path and permissions boundary are on every role; names hold the Region, since IAM has one room."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    naming = IamNaming(name_prefix="ml-", path="/ml/", permissions_boundary_arn=boundary)
    template = Template.from_stack(_stack(naming=naming))
    template.all_resources_properties("AWS::IAM::Role", {"Path": "/ml/", "PermissionsBoundary": boundary})
    names = {each["Properties"]["RoleName"] for each in template.find_resources("AWS::IAM::Role").values()}
    assert names == {"ml-dev-us-east-1-s3", "ml-dev-us-east-1-file-systems", "ml-dev-us-east-1-both"}
    template.has_resource_properties("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "ml-dev-us-east-1-user"})


def test_default_naming_lets_cloudformation_name() -> None:
    """Without a prefix no explicit names are set, so that stacks never collide."""
    _default().all_resources_properties("AWS::IAM::Role", {"RoleName": Match.absent()})


def test_name_that_iam_would_refuse_is_refused_at_synth() -> None:
    """A name of more than 64 characters says which, and what to shorten."""
    with pytest.raises(InvalidInput, match="64"):
        _stack(naming=IamNaming(name_prefix="a" * 60))


def test_policy_is_counted_as_iam_counts_it() -> None:
    """Without white space, and with a usual length for what the deployment fills in."""
    partition = {"Ref": "AWS::Partition"}
    document = {"Resource": [{"Fn::Join": ["", ["arn:", partition, ":s3:::a b"]]}, {"Fn::GetAtt": ["Role", "Arn"]}]}
    assert policy_characters(document) == len('{"Resource":["arn:aws:s3:::ab",""]}') + 90
    assert policy_characters({"Action": ["s3:GetObject"]}) == len('{"Action":"s3:GetObject"}')


def test_policy_that_iam_would_refuse_is_refused_at_synth() -> None:
    """Sixty buckets are too many; the error says size, limit and fix, before anything is deployed."""
    data = [DataLocation(bucket=f"training-data-bucket-{index}", prefix="data/") for index in range(60)]
    with pytest.raises(InvalidInput, match=r"IAM policy dev training-data is \d+ characters; allowed: 6144 .*; fix: "):
        _stack(data_locations=data)


@pytest.mark.parametrize(
    "locations",
    [
        [(f"training-data-bucket-{index}", "data/") for index in range(20)],
        [(BUCKET, f"data/{index}/") for index in range(60)],
    ],
    ids=["buckets", "prefixes"],
)
def test_many_data_locations_fit(locations: list[tuple[str, str]]) -> None:
    """Twenty buckets, or sixty folders of one bucket, are within IAM's limit."""
    _stack(data_locations=[DataLocation(bucket=bucket, prefix=prefix) for bucket, prefix in locations])
