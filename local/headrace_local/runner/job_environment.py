"""The environment of a job's process: what SageMaker sets, what its training toolkit sets, and the request's own.

Nothing of the host's environment reaches the job except its language and where programs lie: no secret that happens
to be there. Source: aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace_local.environment import client_environment
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.layout import HOST, input_data_config, resource_config
from headrace_local.runner.workspace import Workspace

_FROM_HOST = ("LANG", "LC_ALL", "TZ")
_OPT_ML = "/opt/ml"


def environment_of(job: TrainingJob, workspace: Workspace) -> dict[str, str]:
    """The whole environment of the job's process; the request's own variables win."""
    return {
        **{name: os.environ[name] for name in _FROM_HOST if name in os.environ},
        **_process(workspace),
        **_aws(job),
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        **toolkit_variables(job.request),
        **job.request.get("Environment", {}),
    }


def _process(workspace: Workspace) -> dict[str, str]:
    # `python` is the interpreter that runs the server: what is installed for it is what the script can import
    interpreter = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([interpreter, os.environ.get("PATH", os.defpath)]),
        "HOME": str(workspace.directory),
        "TMPDIR": str(workspace.directory / "tmp"),
        "PYTHONUNBUFFERED": "1",
    }


def _aws(job: TrainingJob) -> dict[str, str]:
    account = job.arn.split(":")[4]
    here = client_environment(endpoint_url=os.environ["AWS_ENDPOINT_URL"], account=account, region=job.region)
    return {name: value for name, value in here.items() if name.startswith("AWS_")}


def toolkit_variables(request: Mapping[str, Any]) -> dict[str, str]:
    """The SM_* variables; hyperparameters are decoded where they are JSON, as the toolkit does."""
    channels = [each["ChannelName"] for each in request.get("InputDataConfig", ())]
    hyperparameters = _decoded(request.get("HyperParameters", {}))
    return {
        "SM_MODEL_DIR": f"{_OPT_ML}/model",
        "SM_INPUT_DIR": f"{_OPT_ML}/input",
        "SM_INPUT_CONFIG_DIR": f"{_OPT_ML}/input/config",
        "SM_OUTPUT_DIR": f"{_OPT_ML}/output",
        "SM_OUTPUT_DATA_DIR": f"{_OPT_ML}/output/data",
        "SM_CHANNELS": json.dumps(channels),
        **{f"SM_CHANNEL_{each.upper()}": f"{_OPT_ML}/input/data/{each}" for each in channels},
        "SM_INPUT_DATA_CONFIG": json.dumps(input_data_config(request)),
        "SM_HPS": json.dumps(hyperparameters),
        **{f"SM_HP_{name.upper()}": _text(value) for name, value in hyperparameters.items()},
        "SM_USER_ARGS": json.dumps([part for name, v in hyperparameters.items() for part in (f"--{name}", _text(v))]),
        "SM_HOSTS": json.dumps([HOST]),
        "SM_CURRENT_HOST": HOST,
        "SM_CURRENT_INSTANCE_TYPE": str(request["ResourceConfig"]["InstanceType"]),
        "SM_RESOURCE_CONFIG": json.dumps(resource_config(request)),
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
    }


def _decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    return {name: _json_or_text(value) for name, value in hyperparameters.items() if not name.startswith("sagemaker_")}


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
