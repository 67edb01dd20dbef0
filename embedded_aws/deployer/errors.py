"""Why a template cannot be brought onto one machine. Every message names the resource and the property."""


class DeploymentError(Exception):
    """The template cannot be deployed here."""


class TemplateInvalid(DeploymentError):
    """CloudFormation or SAM would refuse the template as well."""


class ParameterInvalid(DeploymentError):
    """A parameter's value is missing, unknown, or outside its constraints."""


class NotHonoured(DeploymentError):
    """The template asks for something that the embedded AWS cannot do: better refused than silently left out."""
