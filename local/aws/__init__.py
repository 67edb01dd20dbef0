"""AWS on one machine: `EmbeddedAws` runs it, `deploy` brings a SAM template onto it."""

from local.aws.deployer.deploy import DeployedResource, Deployment, deploy
from local.aws.deployer.errors import DeploymentError
from local.aws.embedded import EmbeddedAws

__all__ = ["DeployedResource", "Deployment", "DeploymentError", "EmbeddedAws", "deploy"]
