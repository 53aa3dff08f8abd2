"""What an account holds that a job names: the platform's parameters, roles, images."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.aws.connection import Connection, calls_aws, client_error, code_of

_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]{2,256})(@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]{1,128}))?"
)
# the second: what was asked for is no role's name (IAM API Reference, common errors)
_NO_ROLE = frozenset({"NoSuchEntity", "ValidationError"})


@dataclass(frozen=True, slots=True)
class Account:
    """Questions to SSM, IAM, ECR and STS."""

    connection: Connection

    @calls_aws
    def number(self) -> str:
        """The account of these credentials."""
        return str(self.connection.client("sts").get_caller_identity()["Account"])

    @calls_aws
    def parameters_below(self, path: str) -> dict[str, str]:
        """SSM parameters directly below ``path``: full name -> value."""
        ssm = self.connection.client("ssm")
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=False)
        return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}

    @calls_aws
    def role_exists(self, role_arn: str) -> bool:
        """Whether the account has this role: an ARN of another account or path is another role."""
        name = role_arn.rsplit("/", 1)[-1]
        if not name:
            return False
        try:
            answer = self.connection.client("iam").get_role(RoleName=name)
        except client_error() as error:
            if code_of(error) in _NO_ROLE:
                return False
            raise
        return bool(answer["Role"]["Arn"] == role_arn)

    @calls_aws
    def image_exists(self, image: str) -> bool:
        """Whether ECR holds the image; ``image`` is ``account.dkr.ecr.region.amazonaws.com/repository:tag``.

        Also works for the public Deep Learning Containers: BatchGetImage is what a pull calls.
        """
        parts = _ECR_IMAGE.fullmatch(image)
        if parts is None:
            return False
        image_id = {"imageDigest": parts["digest"]} if parts["digest"] else {"imageTag": parts["tag"] or "latest"}
        try:
            answer = self.connection.client("ecr", parts["region"]).batch_get_image(
                registryId=parts["account"], repositoryName=parts["repository"], imageIds=[image_id]
            )
        except client_error() as error:
            if code_of(error) == "RepositoryNotFoundException":
                return False
            raise
        return bool(answer["images"])
