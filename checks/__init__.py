"""What `make lint` looks at beyond the usual tools: the state machines, and the template as CloudFormation gets it."""
