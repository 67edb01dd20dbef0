"""AWS on one machine: `EmbeddedAws` runs it, `deploy` brings a SAM template onto it."""

from embedded_aws.deployer.deploy import DeployedResource, Deployment, deploy
from embedded_aws.deployer.errors import DeploymentError
from embedded_aws.embedded import EmbeddedAws

__all__ = ["DeployedResource", "Deployment", "DeploymentError", "EmbeddedAws", "deploy"]
