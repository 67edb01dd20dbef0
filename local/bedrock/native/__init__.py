"""The native path for Amazon Nova: Bedrock's own control plane and Converse, as boto3 speaks them."""
