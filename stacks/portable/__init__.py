"""The platform as CloudFormation templates with Parameters, for platform teams without CDK: ``make templates``."""
