"""The embedded AWS: an account on this machine, to deploy into and to run training jobs in.

A moto server in a process of its own (``process``, ``server``), extended and repaired from outside
(``moto_extension``), with a runner that really executes training jobs (``runner``). docs/embedded-aws.md says what it
does and what it does not.
"""
