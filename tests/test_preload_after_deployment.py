"""Preload after deployment, for real: the stack of the shared Lustre, deployed with the setting on, loads its links.

Only this stack is deployed, on the foundation of the platform that other tests have deployed, under a name of its own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template
from headrace_local.process import Running

from stacks.composition import Target, compose
from stacks.settings import LinkSettings, LustreSettings, PreloadSettings, settings_of
from tests.conftest import ENVIRONMENT_NAME, ROOT, DeployedPlatform
from tests.test_preload_end_to_end import FILES, _loaded
from tests.training_jobs import until

PLATFORM = "preloaded"
STACK = f"headrace-{PLATFORM}-lustre"
MACHINE = f"headrace-{PLATFORM}-preload"
LINKS = {name: LinkSettings(name=name, path=f"/{name}", prefix=f"data/{PLATFORM}/{name}/") for name in ("one", "two")}
DONE = {"TrainingJobName": None, "LoadedFiles": 0}


def _template(*links: str) -> str:
    """The template of the shared Lustre with these links."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    settings = replace(
        settings_of(context["headrace"], ENVIRONMENT_NAME),
        platform=PLATFORM,
        job_name_prefix=f"{ENVIRONMENT_NAME}-",
        lustre=LustreSettings(
            storage_capacity_gib=1200,
            links=tuple(LINKS[name] for name in links),
            preload=PreloadSettings(image="digits:1"),
        ),
    )
    stacks = compose(App(context=context), Target(environment=ENVIRONMENT_NAME), settings)
    return json.dumps(
        next(Template.from_stack(each).to_json() for each in stacks if each.stack_name.endswith("lustre"))
    )


class Preloaded:
    """The stack, its machine, and the content of its file system."""

    def __init__(self, deployed: DeployedPlatform, directory: Path) -> None:
        self.deployed = deployed
        self._directory = directory
        self._cloudformation = deployed.client("cloudformation")
        self._machines = deployed.client("stepfunctions")
        s3 = deployed.client("s3")
        for each in LINKS.values():
            for name, body in FILES.items():
                s3.put_object(Bucket=deployed.foundation.bucket, Key=each.prefix + name, Body=body)

    def create(self, *links: str) -> None:
        """Deploy the stack for the first time."""
        self._cloudformation.create_stack(
            StackName=STACK, TemplateBody=_template(*links), Capabilities=["CAPABILITY_IAM"]
        )
        self._require("CREATE_COMPLETE")

    def update(self, *links: str) -> None:
        """Deploy it again."""
        self._cloudformation.update_stack(
            StackName=STACK, TemplateBody=_template(*links), Capabilities=["CAPABILITY_IAM"]
        )
        self._require("UPDATE_COMPLETE")

    def _require(self, status: str) -> None:
        stack = self._stack()
        assert stack["StackStatus"] == status, stack.get("StackStatusReason")

    def _stack(self) -> dict[str, Any]:
        found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return found

    def output(self, name: str) -> str:
        """An output of the stack."""
        return next(each["OutputValue"] for each in self._stack()["Outputs"] if each["OutputKey"] == name)

    def ended(self, count: int) -> list[dict[str, Any]]:
        """What the machine's first ``count`` executions gave, in the order in which they began."""
        arn = self.output("PreloadMachineArn")

        def listed() -> list[dict[str, Any]]:
            found = self._machines.list_executions(stateMachineArn=arn)["executions"]
            return sorted(found, key=lambda each: each["startDate"])

        until(lambda: len([each for each in listed() if each["status"] != "RUNNING"]) >= count, 60)
        described = [self._machines.describe_execution(executionArn=each["executionArn"]) for each in listed()]
        failures = [f"{each['error']}: {each['cause']}" for each in described if each["status"] != "SUCCEEDED"]
        assert (failures, len(described)) == ([], count)
        return [json.loads(each["output"]) for each in described]

    def start(self) -> None:
        """Start the machine by hand, with any input."""
        self._machines.start_execution(stateMachineArn=self.output("PreloadMachineArn"), input="{}")

    def loaded_links(self) -> set[str]:
        """The links that the file system's tags call loaded."""
        asked = [self.output("FileSystemId")]
        (file_system,) = self.deployed.client("fsx").describe_file_systems(FileSystemIds=asked)["FileSystems"]
        keys = (each["Key"] for each in file_system["Tags"])
        return {key.removeprefix("headrace:preloaded:") for key in keys if key.startswith("headrace:preloaded:")}

    def files(self) -> dict[str, bool]:
        """Path on the file system -> whether there is content."""
        return _loaded(self._directory / "file-systems" / self.output("FileSystemId"))

    def job(self, name: str) -> dict[str, Any]:
        """A training job."""
        described: dict[str, Any] = self.deployed.client("sagemaker").describe_training_job(TrainingJobName=name)
        return described


def test_each_link_is_loaded_once_after_a_deployment(deployed: DeployedPlatform, embedded_aws: Running) -> None:
    """All links after the first deployment, nothing by a further run, and a new link alone after an update."""
    preloaded = Preloaded(deployed, embedded_aws.log_path.parent)
    preloaded.create("one")
    preloaded.start()  # beside the one that the deployment started: one of them waits, and finds it done
    first, other = sorted(preloaded.ended(2), key=lambda each: each["LoadedFiles"], reverse=True)
    assert (first["LoadedFiles"], other) == (len(FILES), DONE)
    assert first["TrainingJobName"].startswith(f"{ENVIRONMENT_NAME}-preload-")
    assert preloaded.loaded_links() == {"one"}
    files = preloaded.files()
    assert len(files) == len(FILES) - 1  # the empty one aside
    assert all(files.values())

    preloaded.start()
    assert preloaded.ended(3)[-1] == DONE

    preloaded.update("one", "two")
    new = preloaded.ended(4)[-1]
    assert new["LoadedFiles"] == len(FILES)
    job = preloaded.job(new["TrainingJobName"])
    assert [each["ChannelName"] for each in job["InputDataConfig"]] == ["two"]
    assert preloaded.loaded_links() == {"one", "two"}
    assert all(preloaded.files().values())
