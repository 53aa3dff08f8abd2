"""Runs training jobs for real: a subprocess in the layout that SageMaker gives to a container.

``execution`` walks a job through its phases; ``channels`` is the table of the ways by which data comes to it;
``layout`` and ``job_environment`` are what the script finds; ``command`` starts it with its folder at ``/opt/ml``;
``log`` and ``metrics`` follow what it prints; ``artifacts`` is what comes back. It works through boto3 on the
server's own endpoint, and knows nothing of moto.
"""
