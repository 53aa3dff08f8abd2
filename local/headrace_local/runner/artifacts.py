"""What a job leaves in S3: its model and its output data, of all instances together.

Source: Amazon SageMaker Developer Guide, "How Amazon SageMaker AI Processes Training Output": what several containers
write to these folders becomes one archive, and they are to avoid names that clash. Here the first instance's wins.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from headrace_local.runner.checkpoints import Checkpoints
from headrace_local.runner.job import JobFailed
from headrace_local.runner.workspace import Workspace


def upload(s3: Any, request: Mapping[str, Any], workspaces: Sequence[Workspace], checkpoints: Checkpoints) -> str:
    """Upload what the job has made; the URI of the model archive. Raises JobFailed, in SageMaker's words."""
    output = request["OutputDataConfig"]
    folder = f"{output['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    model_uri, kms_key_id = f"{folder}/model.tar.gz", output.get("KmsKeyId")
    models = [each.opt_ml / "model" for each in workspaces]
    data = [each.opt_ml / "output" / "data" for each in workspaces]
    try:
        checkpoints.save()
        _upload_archive(s3, models, workspaces[0].directory / "model.tar.gz", model_uri, kms_key_id)
        if any(each.is_dir() and any(each.iterdir()) for each in data):
            archive = workspaces[0].directory / "output.tar.gz"
            _upload_archive(s3, data, archive, f"{folder}/output.tar.gz", kms_key_id)
    except (ClientError, S3UploadFailedError, OSError) as error:
        raise JobFailed(f"ClientError: Artifact upload failed:{error}") from None
    return model_uri


def _upload_archive(s3: Any, folders: Sequence[Path], archive: Path, uri: str, kms_key_id: str | None) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, path in sorted(_merged(folders).items()):
            tar.add(path, arcname=name, recursive=False)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    s3.upload_file(str(archive), bucket, key, ExtraArgs=extra)
    archive.unlink()


def _merged(folders: Sequence[Path]) -> dict[str, Path]:
    merged: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):  # nothing where a script has removed the folder, as many do before they save
            merged.setdefault(path.relative_to(folder).as_posix(), path)
    return merged
