"""Runs training jobs for real: subprocesses in the layout that SageMaker gives to a container.

``execution`` walks a job through its phases; ``fleet`` runs the command on every instance; ``channels`` is the table
of the ways by which data comes to a job; ``layout`` and ``job_environment`` are what the script finds; ``command``
starts it with its folder at ``/opt/ml``; ``log`` and ``metrics`` follow what it prints; ``artifacts`` and
``checkpoints`` are what comes back. ``file_systems`` shows EFS and Lustre, whose content ``lustre`` brings from S3.

It asks AWS by boto3, on the server's own endpoint. Objects are listed and read by ``s3_storage``, out of moto's storage
in this process: nothing else here knows moto.
"""
