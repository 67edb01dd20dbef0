"""The OpenAI-compatible API of the service's `bedrock-mantle` endpoint."""
