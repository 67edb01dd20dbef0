"""What S3 checks of links and forms, which someone with credentials has signed for others."""
