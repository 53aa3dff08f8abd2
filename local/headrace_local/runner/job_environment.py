"""The environment of a job's process: what SageMaker sets, what its training toolkit sets, and the request's own.

Nothing of the host's environment reaches the job except its language and where programs lie: no secret that happens
to be there. Sources: aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md; sagemaker 3.27, environment.py of its
container drivers (SM_HOST_COUNT, SM_CURRENT_HOST_RANK, SM_MASTER_ADDR and SM_MASTER_PORT).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace_local.environment import client_environment
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.layout import GROUP, input_data_config, network_interface, resource_config
from headrace_local.runner.workspace import Workspace

_FROM_HOST = ("LANG", "LC_ALL", "TZ")
_OPT_ML = "/opt/ml"
_MASTER_PORT = 7777


def environment_of(job: TrainingJob, instance: Instance) -> dict[str, str]:
    """The whole environment of an instance's process; the request's own variables win."""
    return {
        **{name: os.environ[name] for name in _FROM_HOST if name in os.environ},
        **_process(instance.workspace),
        **_aws(job),
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        **toolkit_variables(job.request, instance),
        **job.request.get("Environment", {}),
    }


def _process(workspace: Workspace) -> dict[str, str]:
    # `python` is the interpreter that runs the server: what is installed for it is what the script can import
    interpreter = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([interpreter, os.environ.get("PATH", os.defpath)]),
        "HOME": str(workspace.directory),
        "TMPDIR": str(workspace.temporary),
        "PYTHONUNBUFFERED": "1",
    }


def _aws(job: TrainingJob) -> dict[str, str]:
    account = job.arn.split(":")[4]
    here = client_environment(endpoint_url=os.environ["AWS_ENDPOINT_URL"], account=account, region=job.region)
    return {name: value for name, value in here.items() if name.startswith("AWS_")}


def toolkit_variables(request: Mapping[str, Any], instance: Instance) -> dict[str, str]:
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
        **_hosts(request, instance),
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
    }


def _hosts(request: Mapping[str, Any], instance: Instance) -> dict[str, str]:
    hosts, instance_type = list(instance.hosts), str(request["ResourceConfig"]["InstanceType"])
    return {
        "SM_HOSTS": json.dumps(hosts),
        "SM_HOST_COUNT": str(len(hosts)),
        "SM_CURRENT_HOST": instance.host,
        "SM_CURRENT_HOST_RANK": str(instance.number),
        "SM_MASTER_ADDR": hosts[0],
        "SM_MASTER_PORT": str(_MASTER_PORT),
        "SM_CURRENT_INSTANCE_TYPE": instance_type,
        "SM_CURRENT_INSTANCE_GROUP": GROUP,
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": json.dumps(hosts),
        "SM_INSTANCE_GROUPS": json.dumps([GROUP]),
        "SM_RESOURCE_CONFIG": json.dumps(resource_config(request, instance)),
        "SM_NETWORK_INTERFACE_NAME": network_interface(),
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
