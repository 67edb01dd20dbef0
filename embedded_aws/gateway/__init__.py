"""API Gateway's front: HTTP requests in, Lambda proxy events out, by the routes of a deployed REST API."""
