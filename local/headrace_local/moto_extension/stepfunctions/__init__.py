"""Step Functions: machines that really run, against the services of this account.

moto has an interpreter of the States language, which is off by default and works on machines of another table than
CloudFormation's. ``resource_types`` makes machines through the API; ``executions`` begins and ends them and tells
EventBridge, ``api`` stops, describes and lists them; ``queries`` evaluates JSONata and ``assignments`` keeps what it
assigns; ``failures`` says what a Retry or a Catch sees; ``waits`` lets nothing wait as long as on AWS; ``sdk_calls``
calls the services by the names that Step Functions gives them.
"""

from headrace_local.moto_extension.stepfunctions import (
    api,
    assignments,
    executions,
    failures,
    queries,
    resource_types,
    sdk_calls,
    waits,
)


def install() -> None:
    """Switch the interpreter on, and put the repairs into it."""
    for subject in (executions, api, queries, assignments, failures, waits, sdk_calls, resource_types):
        subject.install()
