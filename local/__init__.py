"""The same application on one machine: an embedded AWS, a local Bedrock, and the `tunedrop` command."""
