"""Failure modes of the services: creates, links, imports, jobs and deletes that go wrong, calls that are lost."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from tests.simulation.faults import (
    HOUR,
    CallFaults,
    Course,
    Faults,
    Outcome,
    Span,
)
from tests.simulation.machine import Machine

CALLED_IN_PASSING = (
    "createFileSystem",
    "describeFileSystems",
    "createDataRepositoryAssociation",
    "createDataRepositoryTask",
    "createTrainingJob",
    "describeTrainingJob",
    "startExecution",
    "describeExecution",
    "deleteFileSystem",
    "stopTrainingJob",
    "listTrainingJobs",
    "cancelDataRepositoryTask",
    "tagResource",
)


def lost_create_reply(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Every answer of the create is lost, or a few; the file system is there."""
    often = chance.choice((1, 2, 5, 20))
    create = CallFaults(unanswered=0.8, failed=0.2, only="createFileSystem", at_most=often)
    return replace(plan, calls=(create, *plan.calls))


def create_refused(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, service_limit=True))


def delete_refused(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, deletes_refused=chance.choice((1, 3, 10, 30, 120))))


def delete_falls_back(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, deletes_that_fail=chance.choice((1, 2, 4))))


def delete_lost(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    delete = CallFaults(lost=0.5, unanswered=0.4, only="deleteFileSystem", at_most=chance.choice((1, 3, 12)))
    return replace(plan, calls=(delete, *plan.calls))


def no_capacity(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    failures = chance.choice((1, 2, 5))
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, capacity_failures=failures))


def no_quota(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, limit_exceeded=chance.choice((1, 5))))


def training_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    course = chance.choice((Course.FAILS, Course.IS_STOPPED, Course.STALLS))
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, training=course))


def job_reply_lost(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    job = CallFaults(unanswered=0.5, lost=0.2, late=0.3, only="createTrainingJob", at_most=chance.choice((1, 3, 9, 20)))
    return replace(plan, mode="train", calls=(job, *plan.calls))


def name_taken(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """A training job of the same name is there: the machine's own retry would look just like it."""
    return replace(plan, mode="train", job_name_taken=True)


def input_spoilt(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Somebody starts the machine with an input that the launcher would have refused."""
    return replace(plan, mode="train", spoiled=chance.choice(("schema", "subnet", "links", "hours", "mounts")))


def throttled(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, calls=(*plan.calls, CallFaults(throttled=0.3)))


def one_call_fails(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """One action fails again and again, beyond all retries of one state."""
    kinds = (CallFaults(throttled=1.0), CallFaults(failed=1.0), CallFaults(lost=0.6, unanswered=0.4))
    each = replace(
        chance.choice(kinds), only=chance.choice(CALLED_IN_PASSING), at_most=chance.choice((2, 9, 10, 20, 40))
    )
    return replace(plan, calls=(each, *plan.calls))


def preload_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    sagemaker = chance.choice(
        (
            replace(plan.sagemaker, preload=Course.STALLS),
            replace(plan.sagemaker, preload=Course.FAILS),
            replace(plan.sagemaker, preload=Course.IS_STOPPED),
            replace(plan.sagemaker, files_not_loaded=chance.choice((1, 1000))),
            replace(plan.sagemaker, unreadable_files=1),
        )
    )
    return replace(plan, preload=True, sagemaker=sagemaker)


def creation_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    outcome = chance.choice((Outcome.FAILED, Outcome.MISCONFIGURED))
    return replace(plan, fsx=replace(plan.fsx, creation=outcome, creation_span=Span(30, 1500)))


def creation_slow(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, creation_span=Span(1000, chance.choice((3000, 3 * HOUR)))))


def link_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    outcome = chance.choice((Outcome.FAILED, Outcome.MISCONFIGURED))
    return replace(plan, fsx=replace(plan.fsx, link=outcome, last_link_only=chance.random() < 0.5))


def link_slow(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, link_span=Span(300, chance.choice((1500, 2 * HOUR)))))


def import_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    fsx = chance.choice(
        (
            replace(plan.fsx, import_fails=True),
            replace(plan.fsx, objects_that_fail=3),
            replace(plan.fsx, objects=0),
            replace(plan.fsx, import_span=Span(1500, 5 * HOUR)),
        )
    )
    return replace(plan, fsx=fsx)
