// Requests to the console's server, which passes them on to the stack's API.

// A refusal: an RFC 9457 problem document, of the API or of the console.
export class Refused extends Error {
  constructor(status, document) {
    super(document.detail || document.title);
    this.status = status;
    this.title = document.title || `HTTP ${status}`;
    this.detail = document.detail || "";
    this.errors = document.errors || [];
    this.type = document.type || "";
  }
}

export async function ask(path, { body, key, method = body === undefined ? "GET" : "POST", signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw gone();
  }
  let document;
  try {
    document = await answer.json();
  } catch {
    document = { title: "The answer cannot be read", detail: `HTTP ${answer.status}` };
  }
  if (!answer.ok) throw new Refused(answer.status, document);
  return document;
}

// Sends a file; `onShare` is told which part of it is on its way, from 0 to 1.
export function sendFile(file, onShare, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/files");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onShare(event.loaded / Math.max(event.total, 1)));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Refused(request.status, request.response || {}));
    });
    request.addEventListener("error", () => reject(gone()));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

export const newKey = () => crypto.randomUUID();

const gone = () => new Refused(0, {
  title: "The console does not answer",
  detail: "The command that serves this page has ended, or was interrupted. Start it again with `tunedrop console`.",
});
