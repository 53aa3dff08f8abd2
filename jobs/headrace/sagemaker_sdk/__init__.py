"""The same job for the SageMaker Python SDK v3: a ``ModelTrainer`` with channels, compute and network of the platform.

    from headrace.sagemaker_sdk import model_trainer

    trainer = model_trainer("job.yaml")
    trainer.train()

The CreateTrainingJob request of :mod:`headrace.training_request` is the one source of truth: ``translation`` spells it
in the SDK's words, ``session`` settles what the SDK would guess, ``trainer`` sends it. This package is the only one
that imports the SDK, which takes seconds; install it with ``pip install 'headrace[sagemaker]'``.
"""

try:
    from headrace.sagemaker_sdk.building import model_trainer
    from headrace.sagemaker_sdk.session import platform_session
    from headrace.sagemaker_sdk.trainer import HeadraceTrainer
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] != "sagemaker":
        raise
    raise ImportError(
        f"no module {error.name}: headrace.sagemaker_sdk needs the SageMaker Python SDK v3; "
        "install it: pip install 'headrace[sagemaker]'"
    ) from None

__all__ = ["HeadraceTrainer", "model_trainer", "platform_session"]
