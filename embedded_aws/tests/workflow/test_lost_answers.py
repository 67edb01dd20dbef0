"""An answer can be lost on its way: the call is carried out or not, and its caller cannot tell."""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectionClosedError

from embedded_aws import EmbeddedAws
from embedded_aws.calls import Call, CallRefused


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_leaves_its_caller_in_doubt(aws: EmbeddedAws, carried_out: bool) -> None:
    dynamodb, table = aws.client("dynamodb"), f"answers-{carried_out}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def lose(call: Call) -> None:
        if call.action == "PutItem":
            aws.calls.lose_answer()
            if not carried_out:
                raise CallRefused("InternalServerError", "never carried out", 500)

    stop = aws.calls.observe(lose)
    with pytest.raises(ConnectionClosedError):
        dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
    stop()
    assert ("Item" in dynamodb.get_item(TableName=table, Key={"id": {"S": "1"}})) is carried_out
