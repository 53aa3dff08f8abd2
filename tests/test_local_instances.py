"""Jobs of several instances in the embedded AWS: they start, find each other and end together."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from headrace_local.process import Running
from headrace_local.runner import command, fleet
from headrace_local.runner.job import JobFailed
from headrace_local.runner.supply import Supply

from tests.training_jobs import GO, StartJob, a_job, archive, end, go, logs_by_host, resources, shell, until, wait

TELL = """
echo "$SM_CURRENT_HOST $SM_CURRENT_HOST_RANK of $SM_HOST_COUNT $SM_HOSTS $SM_MASTER_ADDR:$SM_MASTER_PORT"
cp /opt/ml/input/config/resourceconfig.json /opt/ml/output/data/$SM_CURRENT_HOST.json
echo $SM_CURRENT_HOST >/opt/ml/model/who
mkdir -p /opt/ml/model/shards; echo $SM_CURRENT_HOST >/opt/ml/model/shards/$SM_CURRENT_HOST
"""


@pytest.mark.parametrize("count", [1, 3])
def test_every_instance_runs_with_its_own_name_folder_and_log(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, count: int
) -> None:
    """All hosts and the current one are told; models of all become one archive, in which the first one's name wins."""
    name = start_job(aws_session, shell('eval "$TELL"'), ResourceConfig=resources(count), Environment={"TELL": TELL})
    job = end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    hosts = [f"algo-{number}" for number in range(1, count + 1)]
    assert logs_by_host(aws_session, name) == {
        host: [f"{host} {rank} of {count} {json.dumps(hosts)} algo-1:7777"] for rank, host in enumerate(hosts)
    }
    configurations = archive(aws_session, name, "output.tar.gz")
    assert {each: json.loads(content) for each, content in configurations.items()} == {
        f"{host}.json": {
            "current_host": host,
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": hosts,
            "instance_groups": [
                {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": hosts}
            ],
            "network_interface_name": "lo",
        }
        for host in hosts
    }
    model = archive(aws_session, name, "model.tar.gz")
    assert model == {"who": b"algo-1\n"} | {f"shards/{host}": f"{host}\n".encode() for host in hosts}


MEET = """
import json, os, socket
hosts, host = json.loads(os.environ["SM_HOSTS"]), os.environ["SM_CURRENT_HOST"]
with socket.create_server((host, 23456)) as server:
    if host == hosts[0]:
        names = []
        for _ in hosts[1:]:
            with server.accept()[0] as peer:
                names.append(peer.recv(100).decode())
        print("met", *sorted(names))
    else:
        while True:
            try:
                with socket.create_connection((hosts[0], 23456)) as master:
                    master.sendall(host.encode())
                    break
            except ConnectionRefusedError:
                pass
"""


@pytest.mark.skipif(command.mount_prefix() is None, reason="this system allows no mount namespace")
def test_instances_find_each_other_by_name(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """Each name has an address of its own, so that all can listen on the same port, as on SageMaker."""
    pieces = {f"P{start // 500}": MEET[start : start + 500] for start in range(0, len(MEET), 500)}
    script = 'printf %s "$P0" "$P1" "$P2" >/opt/ml/code/meet.py; exec python3 /opt/ml/code/meet.py'
    name = start_job(aws_session, shell(script), ResourceConfig=resources(3), Environment=pieces)
    job = end(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), logs_by_host(aws_session, name))
    assert logs_by_host(aws_session, name)["algo-1"] == ["met algo-2 algo-3"]


def test_one_failing_instance_fails_the_job_and_ends_the_others(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """The others are told by SIGTERM; the reason is the failing one's."""
    # the folders of the instances lie side by side
    script = """
    if [ $SM_CURRENT_HOST != algo-2 ]; then
        trap "echo told; exit 0" TERM; touch $HOME/ready; while :; do sleep 0.05; done
    fi
    until [ -e $HOME/../algo-1/ready ] && [ -e $HOME/../algo-3/ready ]; do sleep 0.05; done
    echo broken >/opt/ml/output/failure; exit 7
    """
    environment = {"SCRIPT": script}
    name = start_job(aws_session, shell('eval "$SCRIPT"'), ResourceConfig=resources(3), Environment=environment)
    job = end(sagemaker, name)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", "AlgorithmError: broken, exit code: 7")
    logs = logs_by_host(aws_session, name)
    assert (logs["algo-1"][-1], logs["algo-3"][-1]) == ("told", "told")


@pytest.mark.parametrize("outcome", ["Completed", JobFailed("AlgorithmError: , exit code: 1")])
def test_a_channel_that_broke_fails_the_job_whatever_the_command_says(
    monkeypatch: pytest.MonkeyPatch, outcome: str | JobFailed
) -> None:
    """What the command has read is then not what was asked for, and the channel's reason explains the command's."""

    def run(*_arguments: Any) -> str:
        if isinstance(outcome, JobFailed):
            raise outcome
        return outcome

    monkeypatch.setattr(fleet, "_run", run)
    broken = Supply(failure=lambda: "ClientError: the object has gone")
    with pytest.raises(JobFailed, match="the object has gone"):
        fleet.run(a_job("a"), [], [Supply(), broken])


def test_a_job_waits_for_its_last_instance(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """One that is done early neither ends the job nor the others."""
    script = "[ $SM_CURRENT_HOST = algo-1 ] || { sleep 1; echo late >/opt/ml/model/$SM_CURRENT_HOST; }"
    job = end(sagemaker, name := start_job(aws_session, shell(script), ResourceConfig=resources(2)))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert archive(aws_session, name, "model.tar.gz") == {"algo-2": b"late\n"}
    # what is billed is this times the count: the seconds themselves are not multiplied
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]


def test_stop_reaches_every_instance(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """What each then saves is kept."""
    script = "trap 'echo saved >/opt/ml/model/$SM_CURRENT_HOST; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    name = start_job(aws_session, shell(script), ResourceConfig=resources(3))
    deadline = time.monotonic() + 40
    while len(logs_by_host(aws_session, name)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    sagemaker.stop_training_job(TrainingJobName=name)
    assert end(sagemaker, name)["TrainingJobStatus"] == "Stopped"
    assert archive(aws_session, name, "model.tar.gz") == {f"algo-{each}": b"saved\n" for each in (1, 2, 3)}


def test_a_job_leaves_no_folder_behind(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob, embedded_aws: Running
) -> None:
    """Whatever it wrote, on all of its instances."""
    script = 'mkdir -p /opt/ml/model/a/b; exec python3 -c "$GO"'
    name = start_job(aws_session, shell(script), ResourceConfig=resources(2), Environment={"GO": GO})
    folder = embedded_aws.log_path.parent / "jobs" / name
    wait(sagemaker, name, lambda job: job["SecondaryStatus"] == "Training")
    assert sorted(each.name for each in folder.iterdir()) == ["algo-1", "algo-2"]
    go(aws_session, name)
    end(sagemaker, name)
    assert not folder.exists()


def test_what_the_command_leaves_running_ends_with_it(
    aws_session: boto3.Session, sagemaker: Any, start_job: StartJob
) -> None:
    """As the container would: its folder and its channels are gone by then."""
    name = start_job(aws_session, shell("sleep 300 >/dev/null 2>&1 & echo $!"))
    assert end(sagemaker, name)["TrainingJobStatus"] == "Completed"
    pid = logs_by_host(aws_session, name)["algo-1"][0]
    until(lambda: not Path("/proc", pid).exists())
    assert not Path("/proc", pid).exists()
