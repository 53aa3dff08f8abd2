"""What a job leaves in S3: its model, its output data, its checkpoints.

Source: Amazon SageMaker Developer Guide, "Amazon SageMaker AI Training Storage Folders".
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from headrace_local.runner.job import JobFailed
from headrace_local.runner.workspace import Workspace


def upload(s3: Any, request: Mapping[str, Any], workspace: Workspace) -> str:
    """Upload what the job has made; the URI of the model archive. Raises JobFailed, in SageMaker's words."""
    output = request["OutputDataConfig"]
    folder = f"{output['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    model_uri = f"{folder}/model.tar.gz"
    try:
        model, data = workspace.opt_ml / "model", workspace.opt_ml / "output" / "data"
        for each in (model, data):
            each.mkdir(parents=True, exist_ok=True)  # many a script removes the folder before it saves
        _upload_folder(s3, model, model_uri, output.get("KmsKeyId"))
        if any(data.iterdir()):
            _upload_folder(s3, data, f"{folder}/output.tar.gz", output.get("KmsKeyId"))
        _upload_checkpoints(s3, request, workspace)
    except (ClientError, S3UploadFailedError) as error:
        raise JobFailed(f"ClientError: Artifact upload failed:{error}") from None
    return model_uri


def _upload_folder(s3: Any, folder: Path, uri: str, kms_key_id: str | None) -> None:
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        for each in sorted(folder.iterdir()):
            tar.add(each, arcname=each.name)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    s3.upload_file(str(archive), bucket, key, ExtraArgs=extra)
    archive.unlink()


def _upload_checkpoints(s3: Any, request: Mapping[str, Any], workspace: Workspace) -> None:
    uri = request.get("CheckpointConfig", {}).get("S3Uri")
    if uri is None:
        return
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    folder = workspace.opt_ml / "checkpoints"
    for each in sorted(folder.rglob("*")):
        if each.is_file():
            s3.upload_file(str(each), bucket, f"{prefix.rstrip('/')}/{each.relative_to(folder)}".lstrip("/"))
