"""The tests. A package, because a dependency of the SageMaker SDK installs one of this name and would hide a folder."""
