// A whole run by the AWS SDK for JavaScript, and one by the API and openai for Node, on the endpoints in the environment.
// node whole_run.mjs FOLDER        FOLDER holds train.jsonl and test.jsonl; the last line printed is a JSON document.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Sha256 } from "@aws-crypto/sha256-js";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { SignatureV4 } from "@smithy/signature-v4";
import OpenAI from "openai";

const folder = process.argv[2];
const env = process.env;
const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
const aws = { region: env.AWS_REGION, endpoint: env.AWS_ENDPOINT_URL, credentials };
const s3 = new S3Client({ ...aws, forcePathStyle: true });
const [sns, sqs, states] = [new SNSClient(aws), new SQSClient(aws), new SFNClient(aws)];

async function subscribe() {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "javascript" }));
  const asked = { QueueUrl, AttributeNames: ["QueueArn"] };
  const arn = (await sqs.send(new GetQueueAttributesCommand(asked))).Attributes.QueueArn;
  const TopicArn = env.TUNEDROP_NOTICES_TOPIC;
  const statement = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: arn,
    Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const FilterPolicy = JSON.stringify({ event: ["run_ended"] });
  const subscription = { TopicArn, Protocol: "sqs", Endpoint: arn, Attributes: { FilterPolicy } };
  await sns.send(new SubscribeCommand(subscription));
  return QueueUrl;
}

const waiting = [];

async function notice(QueueUrl, isTheOne) {
  for (;;) {
    const found = waiting.find(isTheOne);
    if (found) return found;
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    for (const message of Messages) {
      waiting.push(JSON.parse(JSON.parse(message.Body).Message));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
}

const signer = new SignatureV4({ service: "execute-api", region: env.AWS_REGION, credentials, sha256: Sha256 });

async function api(method, path, document, headers = {}) {
  const url = new URL(env.TUNEDROP_API_URL + path);
  const body = document === undefined ? undefined : JSON.stringify(document);
  const request = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, "content-type": "application/json", ...headers },
    body,
  });
  const answer = await fetch(url, { method, headers: request.headers, body });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.type}: ${told.detail}`);
  return told;
}

async function upload(name) {
  const content = await readFile(join(folder, name));
  const place = await api("POST", "/uploads", { bytes: content.length });
  const answer = await fetch(place.url, { method: "PUT", headers: place.headers, body: content });
  if (answer.status !== 200) throw new Error(`the upload of ${name} was answered ${answer.status}`);
  return { upload_id: place.upload_id };
}

const QueueUrl = await subscribe();

// By a drop, with the AWS SDK: train.jsonl last, as it starts the run.
for (const name of ["test.jsonl", "train.jsonl"]) {
  const Key = `inbox/by javascript/${name}`;
  const Body = await readFile(join(folder, name));
  await s3.send(new PutObjectCommand({ Bucket: env.TUNEDROP_DATASET_BUCKET, Key, Body }));
}
const dropped = await notice(QueueUrl, (each) => each.name === "by javascript");

// By a call of the API: asked for at once, and twice with one key.
const body = { name: "by call", dataset: await upload("train.jsonl"), test: await upload("test.jsonl") };
const key = { "idempotency-key": crypto.randomUUID() };
const started = await api("POST", "/runs", body, key);
const again = await api("POST", "/runs", body, key);
const asked = await api("GET", started.url);
const called = await notice(QueueUrl, (each) => each.run_id === started.run_id);

// By openai for Node: a job of its own at Bedrock, and a question to the model that the run made.
const openai = new OpenAI(); // OPENAI_BASE_URL and OPENAI_API_KEY are in the environment
const plain = await readFile(join(folder, "train.jsonl"), "utf8");
const rows = plain.replace(/^{/gm, '{"tunedrop_grader": {"kind": "math"}, '); // each row names its grader
const file = await openai.files.create({ file: new File([rows], "train.jsonl"), purpose: "fine-tune" });
const grader = { type: "lambda", lambda: { function: env.TUNEDROP_PLAIN_GRADER } };
let job = await openai.fineTuning.jobs.create({
  model: "openai.gpt-oss-20b",
  training_file: file.id,
  method: { type: "reinforcement", reinforcement: { grader } },
});
while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
  await new Promise((resume) => setTimeout(resume, 500));
  job = await openai.fineTuning.jobs.retrieve(job.id);
}
const messages = [{ role: "user", content: 'What is 6 times 7? Output the final answer after "####".' }];
const answer = await openai.chat.completions.create({ model: called.tuned_model, messages, max_tokens: 512 });
let streamed = "";
for await (const chunk of await openai.chat.completions.create({
  model: job.fine_tuned_model,
  messages,
  max_tokens: 512,
  stream: true,
})) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}

// The notice goes out before its execution ends; by now it has.
const execution = await states.send(new DescribeExecutionCommand({ executionArn: dropped.execution_arn }));

console.log(
  JSON.stringify({
    dropped: dropped.status,
    execution: execution.status,
    called: called.status,
    same_run: again.run_id === started.run_id && asked.run_id === started.run_id,
    job: job.status,
    answered: answer.choices[0].message.content.length > 0,
    streamed: streamed.length > 0,
  }),
);
