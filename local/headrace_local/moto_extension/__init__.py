"""What the embedded AWS adds to moto and repairs in it, one module for each subject.

Only what the platform's templates and clients use is here. docs/embedded-aws.md lists every repair, and each has a
test that fails when moto changes under it.
"""

from __future__ import annotations


def install() -> None:
    """Extend and repair moto in this process, before it serves its first request."""
    from headrace_local.moto_extension import (
        bucket_policy,
        cloudformation,
        cloudwatch,
        ec2,
        efs,
        events,
        fsx,
        gateway_endpoints,
        iam,
        kms,
        s3,
        sagemaker,
        sns,
        sqs,
        ssm,
        stepfunctions,
        unimplemented,
    )

    storage_and_jobs = (s3, bucket_policy, iam, kms, ec2, gateway_endpoints, efs, ssm, fsx, sagemaker)
    for subject in (unimplemented, cloudformation, *storage_and_jobs, sns, sqs, cloudwatch, events, stepfunctions):
        subject.install()
