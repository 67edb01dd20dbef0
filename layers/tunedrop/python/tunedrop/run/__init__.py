"""A run is a record (DynamoDB) and a folder (S3)."""
