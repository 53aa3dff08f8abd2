"""Which stacks an environment has, and how they hang together: foundation first, Lustre on top of it.

The shared Lustre is one stack; ephemeral Lustre is two, of which the one that cleans up lives longer.

A construct refuses what is wrong with itself and stops there. So that people see the mistakes of all parts in one go,
a refused environment is composed again, part by part with the other parts sound or switched off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aws_cdk import App, BootstraplessSynthesizer, DefaultStackSynthesizer, Environment, Stack, Tags
from headrace.errors import InvalidInput
from headrace.platform import PLATFORM_TAG
from headrace_cdk.machine_policies import PART_TAG

from stacks.cleanup import EphemeralCleanup
from stacks.ephemeral import Ephemeral
from stacks.foundation import Foundation
from stacks.lustre import SharedLustre
from stacks.names import illegal_names, with_legal_names
from stacks.settings import (
    BucketSettings,
    EfsSettings,
    EnvironmentSettings,
    EphemeralSettings,
    IamSettings,
    LustreSettings,
    NetworkSettings,
)

SOUND_NAME = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The environment's name, and where it goes if its settings do not say; None leaves it to the deployment."""

    environment: str
    default_account: str | None = None
    default_region: str | None = None


def compose(app: App, target: Target, settings: EnvironmentSettings) -> list[Stack]:
    """Add the stacks of an environment to ``app``.

    Raises InvalidInput with every mistake in the settings: one line each, all parts together.
    """
    if illegal := list(illegal_names(settings, target.environment)):
        named = replace(target, environment=SOUND_NAME)
        raise InvalidInput(*dict.fromkeys([*illegal, *_mistakes_of_parts(named, with_legal_names(settings))]))
    try:
        return _compose(app, target, settings)
    except InvalidInput as error:
        lines = [*error.problems, *_mistakes_of_parts(target, settings)]
        raise InvalidInput(*dict.fromkeys(lines)) from error


def _mistakes_of_parts(target: Target, settings: EnvironmentSettings) -> list[str]:
    region = settings.region or target.default_region
    no_efs, no_lustre = EfsSettings(enabled=False), LustreSettings(enabled=False)
    no_ephemeral = EphemeralSettings(enabled=False)
    bare = replace(
        settings,
        kms_key="aws",
        bucket=BucketSettings(),
        data_locations=(),
        efs=no_efs,
        lustre=no_lustre,
        ephemeral=no_ephemeral,
        iam=IamSettings(),
        own_ingestion={},
    )
    sound = replace(bare, network=_sound_network(region))
    own_links = tuple(link for link in settings.lustre.links if link.bucket is None)
    own_ephemeral_links = tuple(link for link in settings.ephemeral.links if link.bucket is None)
    parts = [
        bare,
        replace(sound, kms_key=settings.kms_key),
        replace(sound, bucket=settings.bucket),
        replace(sound, iam=settings.iam),
        replace(sound, data_locations=settings.data_locations),
        replace(sound, own_ingestion=settings.own_ingestion),
        replace(sound, efs=replace(settings.efs, zones=None)),
        replace(sound, lustre=replace(settings.lustre, zone=None, links=own_links)),
        replace(sound, ephemeral=replace(settings.ephemeral, links=own_ephemeral_links)),
    ]
    return [line for part in parts for line in _mistakes(target, part)]


def _sound_network(region: str | None) -> NetworkSettings:
    return NetworkSettings(cidr="10.0.0.0/16", availability_zones=(f"{region or 'us-east-1'}a",))


def _mistakes(target: Target, settings: EnvironmentSettings) -> tuple[str, ...]:
    try:
        _compose(App(), target, settings)
    except InvalidInput as error:
        return error.problems
    return ()


def _compose(app: App, target: Target, settings: EnvironmentSettings) -> list[Stack]:
    environment = target.environment
    platform = settings.platform or environment
    common: dict[str, Any] = {
        "platform": platform,
        "settings": settings,
        "env": Environment(
            account=settings.account or target.default_account,
            region=settings.region or target.default_region,
        ),
    }
    foundation = Foundation(
        app,
        f"headrace-{environment}-foundation",
        description=f"headrace {platform}: network, bucket, EFS and roles",
        synthesizer=_synthesizer(settings),
        **common,
    )
    stacks: dict[str, Stack] = {"foundation": foundation}
    if settings.lustre.enabled:
        stacks["lustre"] = SharedLustre(
            app,
            f"headrace-{environment}-lustre",
            foundation=foundation,
            description=f"headrace {platform}: the shared Lustre file system; may be destroyed alone",
            synthesizer=_synthesizer(settings),
            **common,
        )
    if settings.ephemeral.enabled:
        stacks["cleanup"] = EphemeralCleanup(
            app,
            f"headrace-{environment}-cleanup",
            job_name_prefix=foundation.job_name_prefix,
            description=f"headrace {platform}: teardown and reaper of ephemeral Lustre; destroyed after the flow",
            synthesizer=_synthesizer(settings),
            **common,
        )
        stacks["ephemeral"] = Ephemeral(
            app,
            f"headrace-{environment}-ephemeral",
            foundation=foundation,
            description=f"headrace {platform}: the flow that makes a Lustre file system for one job",
            synthesizer=_synthesizer(settings),
            **common,
        )
        stacks["ephemeral"].add_stack_dependency(stacks["cleanup"])
    for part, stack in stacks.items():
        _tag(stack, {**settings.tags, PLATFORM_TAG: platform, PART_TAG: part})
    return list(stacks.values())


def _synthesizer(settings: EnvironmentSettings) -> BootstraplessSynthesizer | DefaultStackSynthesizer:
    return BootstraplessSynthesizer() if settings.synthesizer == "bootstrapless" else DefaultStackSynthesizer()


def _tag(stack: Stack, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        # alarms are found by their names; their tags would take a kilobyte of a template that may have fifty
        Tags.of(stack).add(key, value, exclude_resource_types=["AWS::CloudWatch::Alarm"])
