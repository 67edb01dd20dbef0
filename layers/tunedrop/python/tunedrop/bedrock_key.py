"""The key of Bedrock's OpenAI-compatible endpoint: the long-term one of the stack's secret, or a short-term one.

It is never stored or logged. A short-term key is made of the function's own credentials, without a call, and ends with
them.
"""

from __future__ import annotations

from tunedrop.answer_members import member


def bedrock_key(region: str, secret: str) -> str:
    """A key that is good now. `secret` is the ARN of the Secrets Manager secret, empty where the stack has none.

    The secret is read anew each time, so that its key can be changed.

    Raises:
        ClientError, BotoCoreError: it cannot be read.
        AnswerBroken: the answer has no text; a secret that holds bytes has none.
    """
    if secret:
        import boto3

        secrets = boto3.client("secretsmanager", region_name=region)
        answer = secrets.get_secret_value(SecretId=secret)
        return member(answer, "SecretString", str, "GetSecretValue").strip()
    from aws_bedrock_token_generator import provide_token

    token: str = provide_token(region=region)
    return token
