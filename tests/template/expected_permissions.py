"""What the role of each function may do. Whoever adds a function, or a call to one, writes it here."""

from __future__ import annotations

ANY_RESOURCE = {
    "bedrock-mantle:CallWithBearerToken": "a permission-only action, which takes no resource",
    "xray:PutTraceSegments": "X-Ray has no resource to name",
    "xray:PutTelemetryRecords": "X-Ray has no resource to name",
    "xray:GetSamplingRules": "X-Ray has no resource to name",
    "xray:GetSamplingTargets": "X-Ray has no resource to name",
    "cloudwatch:GetMetricStatistics": "metrics have no resource to name",
    "bedrock:ListModelCustomizationJobs": "a list has no resource to name",
    "bedrock:ListCustomModelDeployments": "a list has no resource to name",
    **dict.fromkeys(
        (f"ec2:Describe{each}" for each in ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")),
        "a description in EC2 has no resource to name",
    ),
    **dict.fromkeys(
        (
            f"ec2:{each}"
            for each in (
                "CreateNetworkInterfacePermission",
                "DeleteNetworkInterface",
                "DeleteNetworkInterfacePermission",
            )
        ),
        "AWS documents it so for a training job in a VPC, with the subnets and the job's tags as conditions",
    ),
    "logs:CreateLogDelivery": "log delivery is set up for the account",
    "logs:GetLogDelivery": "log delivery is set up for the account",
    "logs:UpdateLogDelivery": "log delivery is set up for the account",
    "logs:DeleteLogDelivery": "log delivery is set up for the account",
    "logs:ListLogDeliveries": "log delivery is set up for the account",
    "logs:PutResourcePolicy": "log delivery is set up for the account",
    "logs:DescribeResourcePolicies": "log delivery is set up for the account",
    "logs:DescribeLogGroups": "log delivery is set up for the account",
}
"""The actions that AWS documents to need `*`, and why. No other may have it."""

USE_OF_THE_KEY = {"kms:Decrypt", "kms:GenerateDataKey"}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
TELEMETRY = {*LOGGING, "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
BEARER = "bedrock-mantle:CallWithBearerToken"
ASK = "bedrock-mantle:CreateInference"
ASK_NOVA = "bedrock:InvokeModel"
END_NOVA = {"bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"}
DELETE_HOLDINGS = {
    "bedrock-mantle:DeleteFile",
    "bedrock:GetCustomModelDeployment",
    "bedrock:DeleteCustomModelDeployment",
    "bedrock-mantle:CallWithBearerToken",
}
JOBS = {f"bedrock-mantle:{action}FineTuningJob" for action in ("Create", "Get", "Cancel")} | {
    "bedrock-mantle:ListFineTuningJobs"
}

RETENTION = {
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "bedrock:DeleteCustomModel",
    "ssm:GetParametersByPath",
    "sns:Publish",
}
"""Where the stack has the parameter Retention."""

EXPECTED: dict[str, set[str]] = {
    "RegisterRun": {"dynamodb:PutItem", "dynamodb:GetItem"},
    "ResolveInputs": {
        "bedrock:GetFoundationModel",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:ListBucket",
    },
    "ValidateDataset": {
        "s3:ListBucket",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
    },
    "RehearseGrader": {
        "s3:ListBucket",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "lambda:InvokeFunction",
        ASK,
        ASK_NOVA,
        BEARER,
    },
    "AwaitTurn": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchGetItem"},
    "SubmitJob": {
        "s3:ListBucket",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "lambda:InvokeFunction",
        "bedrock-mantle:CreateFile",
        "bedrock-mantle:ListFiles",
        *JOBS,
        "bedrock:CreateModelCustomizationJob",
        "bedrock:TagResource",
        *END_NOVA,
        "iam:PassRole",
        BEARER,
    },
    "PollJob": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:Query",
        "bedrock-mantle:GetFineTuningJob",
        "bedrock:GetModelCustomizationJob",
        "cloudwatch:GetMetricStatistics",
        "bedrock:CreateCustomModelDeployment",
        "bedrock:GetCustomModelDeployment",
        "bedrock:DeleteCustomModelDeployment",
        BEARER,
    },
    "PlanEvaluation": {
        "s3:ListBucket",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
    },
    "EvaluateShard": {
        "dynamodb:PutItem",
        "dynamodb:GetItem",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "lambda:InvokeFunction",
        ASK,
        ASK_NOVA,
        BEARER,
    },
    "ConcludeRun": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:Query",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        *DELETE_HOLDINGS,
    },
    "PromoteModel": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "sns:Publish",
        "ssm:GetParameterHistory",
        "ssm:PutParameter",
    },
    "ReleaseRun": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:Query",
        "states:DescribeExecution",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        *(JOBS - {"bedrock-mantle:CreateFineTuningJob"}),
        *END_NOVA,
        *DELETE_HOLDINGS,
    },
    "SweepRuns": {
        "dynamodb:Query",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "states:ListExecutions",
        "states:DescribeExecution",
        "states:StartExecution",
        "bedrock-mantle:ListFiles",
        *(JOBS - {"bedrock-mantle:CreateFineTuningJob"}),
        *END_NOVA,
        *DELETE_HOLDINGS,
        "bedrock:ListModelCustomizationJobs",
        "bedrock:ListCustomModelDeployments",
        *RETENTION,
    },
    "GraderJudge": {ASK, BEARER},
    "Api": {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "states:StartExecution",
        "states:StopExecution",
        "states:SendTaskSuccess",
        "lambda:InvokeFunction",
    },
    "InboxWatch": {"dynamodb:GetItem", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "sns:Publish"},
    "RunValidation": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:ListBucket",
    },
}
"""What each function may do beside writing its log and traces; a grader that is not named may do nothing else."""

for _name in (
    "RehearseGrader",
    "SubmitJob",
    "PollJob",
    "EvaluateShard",
    "ConcludeRun",
    "ReleaseRun",
    "SweepRuns",
    "GraderJudge",
):
    EXPECTED[_name].add("secretsmanager:GetSecretValue")  # where the stack has a long-term key


for _name, _actions in EXPECTED.items():
    if not _name.startswith("Grader"):  # no grader reads or writes data
        _actions |= USE_OF_THE_KEY
for _name in ("SubmitJob", "PollJob", "EvaluateShard"):
    EXPECTED[_name] |= {"kms:CreateGrant", "kms:DescribeKey"}  # where the stack has a key for tuned models
