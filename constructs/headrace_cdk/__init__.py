"""Constructs that bring training data to SageMaker: one role, one module.

Network, DatasetBucket, SharedEfs, TrainingRoles, UserPolicy and Lustre are what a stack is made of; PlatformPart
leaves the record by which jobs find them. Each checks what it was asked for when it is made, with the rules of
:mod:`headrace.rules`.
"""
