"""Each subscriber that docs/notices.md shows, deployed as it stands: it gets the notices, and does with them what the
page says."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from moto.sns.models import sns_backends

from embedded_aws import EmbeddedAws, deploy
from embedded_aws.waiting import until
from tests.in_prove import a_third_in_each_run
from tests.unit.notices.notices_of_all_kinds import NOTICES
from tests.workflow.embedded_aws.mailbox import mailbox
from tunedrop.notices.publication import document_of

ROOT = Path(__file__).parents[3]
SUBSCRIBERS = ROOT / "docs/subscribers"
CHAT = json.loads((ROOT / "events/schemas/chat_notification.schema.json").read_text())
ACCOUNT = "123456789012"
CERTIFICATE_URL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1.pem"


@pytest.fixture(scope="module")
def topic(aws: EmbeddedAws) -> str:
    arn: str = aws.client("sns").create_topic(Name="notices")["TopicArn"]
    return arn


def subscribe(aws: EmbeddedAws, topic: str, name: str, **parameters: str) -> Mapping[str, str]:
    """Deploy a subscriber's template; its outputs."""
    return deploy(aws, SUBSCRIBERS / f"{name}.yaml", {"Topic": topic, **parameters}, stack_name=name).outputs


def publish(aws: EmbeddedAws, topic: str, *kinds: str) -> list[dict[str, Any]]:
    """Publish notices as the states do; their documents."""
    for kind in kinds:
        aws.client("sns").publish(TopicArn=topic, **NOTICES[kind])
    return [document_of(NOTICES[kind]) for kind in kinds]


def messages(aws: EmbeddedAws, url: str) -> list[dict[str, Any]]:
    """What came to a queue since the last time."""
    sqs = aws.client("sqs")
    found = []
    while came := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in came:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            found.append(json.loads(each["Body"]))
    return found


def test_a_queue_gets_the_documents_of_the_ends(aws: EmbeddedAws, topic: str) -> None:
    url = subscribe(aws, topic, "sqs")["QueueUrl"]
    improved, _ = publish(aws, topic, "improved", "warning")
    (came,) = messages(aws, url)
    assert json.loads(came["Message"]) == improved
    assert came["Subject"] == NOTICES["improved"]["Subject"]


def test_an_address_gets_a_mail_for_each_end_and_question(aws: EmbeddedAws, topic: str) -> None:
    with mailbox() as received:
        aws.mail.server = received.address
        subscribe(aws, topic, "email", Address="someone@example.org")
        publish(aws, topic, "failed", "warning", "approval", "late")
        aws.mail.server = None
    assert [(mail["To"], mail["Subject"]) for mail in received.mails] == [
        ("someone@example.org", NOTICES["failed"]["Subject"]),
        ("someone@example.org", NOTICES["approval"]["Subject"]),
    ]
    for mail, kind in zip(received.mails, ("failed", "approval"), strict=True):
        text = json.loads(NOTICES[kind]["Message"])["email"]
        assert mail.get_content().replace("\r\n", "\n") == text
    sns = aws.client("sns")
    (found,) = (
        each["SubscriptionArn"]
        for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if each["Protocol"] == "email"
    )
    attributes = sns.get_subscription_attributes(SubscriptionArn=found)["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"event": ["run_ended", "approval_wanted", "promotion_decided"]}


@pytest.mark.prove
def test_a_function_acts_on_a_notice_once_however_often_it_comes(aws: EmbeddedAws, topic: str) -> None:
    table = subscribe(aws, topic, "lambda")["SeenTable"]
    (rejected, *_) = publish(aws, topic, "rejected", "rejected", "rejected")

    def seen() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = aws.client("dynamodb").scan(TableName=table)["Items"]
        return items

    (kept,) = until(lambda: (items := seen()) and len(items) == 1 and items, "the notice to be kept")
    assert kept["notice_id"]["S"] == rejected["notice_id"]
    assert kept["headline"]["S"] == rejected["headline"]


@pytest.mark.prove
def test_a_chat_channel_gets_notifications_in_the_documented_form(aws: EmbeddedAws, topic: str) -> None:
    chat_topic = subscribe(aws, topic, "chat")["ChatTopicArn"]
    sqs, sns = aws.client("sqs"), aws.client("sns")
    url = sqs.create_queue(QueueName="chat")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": queue}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=chat_topic, Protocol="sqs", Endpoint=queue)

    sent = publish(aws, topic, "improved", "failed", "approval", "warning", "started")[:4]
    shown: dict[tuple[str, str], Any] = {}

    def all_came() -> bool:
        for each in messages(aws, url):
            notification = json.loads(each["Message"])
            shown[notification["metadata"]["eventType"], notification["content"]["title"]] = notification
        return len(shown) == len(sent)

    until(all_came, "the notifications")
    for each in shown.values():
        jsonschema.validate(each, CHAT)
        assert each["metadata"]["threadId"] == "gsm8k-0123456789abcdef", "one thread for one run"
        assert len(each["content"]["title"]) <= 200
    question = shown["approval_wanted", "Tunedrop: gsm8k: approval wanted"]
    document = document_of(NOTICES["approval"])
    lines = question["content"]["description"].split("\n")
    assert lines[:2] == [document["headline"], document["next"]]
    assert f"```{document['commands'][0]['command']}```" in lines
    assert question["id"] == document["notice_id"]
    assert question["metadata"]["additionalContext"] == {
        "team": "research",
        "suite": "maths",
        "base_model": "openai.gpt-oss-20b",
        "tuned_model": "ft-1",
    }


def relay() -> Any:
    """The function of the chat template, as a module."""
    template = (SUBSCRIBERS / "chat.yaml").read_text()
    source = template.partition("ZipFile: |\n")[2].partition("\n  TopicInvokes:")[0]
    lines = [line.removeprefix(" " * 10) for line in source.splitlines()]
    functions = "\n".join(lines).replace('SNS = boto3.client("sns")', "SNS = None")
    names: dict[str, Any] = {}
    exec(functions, names)  # noqa: S102 - the template's own lines
    return names


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_makes_a_notification_in_the_documented_form(kind: str) -> None:
    jsonschema.validate(relay()["custom_notification"](document_of(NOTICES[kind])), CHAT)


def test_the_title_in_a_channel_says_whether_the_model_is_better() -> None:
    titles = {kind: relay()["record_title"](document_of(NOTICES[kind])) for kind in ("regressed", "failed")}
    assert titles == {"regressed": "Tunedrop: gsm8k: SUCCEEDED, regressed", "failed": "Tunedrop: gsm8k: FAILED"}


def test_a_name_mentions_nobody_in_a_channel() -> None:
    hostile = {**document_of(NOTICES["started"]), "name": "<!channel> @here", "headline": "<@U1> @here & all"}
    made = json.dumps(relay()["custom_notification"](hostile))
    assert "<" not in made
    assert "@here" not in made


def test_a_name_is_no_link_in_a_channel() -> None:
    name = "[Approve](https://evil.example) HTTP://evil.example www.evil.example s3://drop/a"
    made = relay()["custom_notification"]({**document_of(NOTICES["started"]), "name": name, "headline": name})
    for text in (made["content"]["title"], made["content"]["description"].splitlines()[0], made["metadata"]["summary"]):
        assert not re.search(r"\]\(|https?:|www\.", text, re.IGNORECASE)
        assert "s3://drop/a" in text, "an address in S3 can be copied"


# ------------------------------------------------------------------------------------------------------- web hooks


class Sns:
    """Signs as SNS does."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    def signed(self, **members: str) -> dict[str, str]:
        """A message of these members; the signature covers them in the order of their names."""
        whole = {"MessageId": "1", "Timestamp": "2026-01-01T00:00:00.000Z", **members}
        text = "".join(f"{name}\n{whole[name]}\n" for name in sorted(whole))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        of_key = {"SignatureVersion": "2", "SigningCertURL": CERTIFICATE_URL}
        return {**whole, "Signature": base64.b64encode(signature).decode(), **of_key}


@dataclass
class Hook:
    """The page's receiver, running."""

    address: str
    topic: str
    sns: Sns
    told: list[dict[str, Any]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def post(self, envelope: Mapping[str, str]) -> int:
        return requests.post(self.address, data=json.dumps(envelope), timeout=10).status_code


@pytest.fixture
def hook(topic: str) -> Iterator[Hook]:
    spec = importlib.util.spec_from_file_location("https_receiver", SUBSCRIBERS / "https_receiver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = Hook("", topic, Sns())

    def fetch(url: str) -> bytes:
        made.fetched.append(url)
        of_moto = sns_backends[ACCOUNT]["us-west-2"]._message_public_keys
        return of_moto.get(url.rpartition("/")[2], made.sns.certificate)

    server = module.receiver(topic, 0, made.told.append, fetch)
    made.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def notification(hook: Hook, kind: str = "failed", topic: str = "") -> dict[str, str]:
    published = NOTICES[kind]
    said = {"Subject": published["Subject"], "Message": json.loads(published["Message"])["default"]}
    return hook.sns.signed(Type="Notification", TopicArn=topic or hook.topic, **said)


def test_a_web_hook_acts_on_each_notice_once(hook: Hook) -> None:
    assert [hook.post(notification(hook)) for _ in range(2)] == [200, 200]
    (told,) = hook.told
    assert told == document_of(NOTICES["failed"])


def test_a_web_hook_confirms_its_subscription_and_asks_nobody_but_sns(hook: Hook) -> None:
    where = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    asked = {"Type": "SubscriptionConfirmation", "TopicArn": hook.topic, "Message": "Confirm.", "Token": "1"}
    assert hook.post(hook.sns.signed(**asked, SubscribeURL=where)) == 200
    assert where in hook.fetched
    assert hook.post(hook.sns.signed(**asked, SubscribeURL="https://example.org/")) == 200
    assert "https://example.org/" not in hook.fetched


def test_a_web_hook_takes_nothing_that_sns_did_not_sign_for_its_topic(hook: Hook) -> None:
    genuine = notification(hook)
    forged = [
        {**genuine, "Message": genuine["Message"].replace("failed", "rejoiced")},
        {**genuine, "SigningCertURL": "https://example.org/key.pem"},
        {**genuine, "Type": "Other"},
        notification(hook, topic="another topic"),
        {name: value for name, value in genuine.items() if name != "Signature"},
    ]
    assert [hook.post(each) for each in forged] == [403] * len(forged)
    assert hook.told == []


@pytest.mark.parametrize(
    "body",
    a_third_in_each_run(
        [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"Type": []}', b'{"Type": {}}', b" " * 2**20 + b"{}"]
    ),
)
def test_a_web_hook_refuses_what_is_no_message_at_all(hook: Hook, body: bytes) -> None:
    assert requests.post(hook.address, data=body, timeout=10).status_code == 403


def test_the_topic_delivers_to_a_web_hook_what_its_receiver_takes(aws: EmbeddedAws, topic: str, hook: Hook) -> None:
    subscribe(aws, topic, "https", Address=hook.address, Protocol="http")
    (failed, *_) = publish(aws, topic, "failed", "started", "failed")
    assert hook.told == [failed]
