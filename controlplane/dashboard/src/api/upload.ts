import { noAnswer, problemFrom, signInAgain, type Api, type ApiProblem, type Schemas } from "./client";

export interface Sent {
  bytes: number;
  of: number;
  /** Bytes a second, of the last seconds. */
  rate: number | null;
}

export interface Upload {
  result: Promise<{ version: Schemas["Version"]; isNew: boolean }>;
  cancel: () => void;
}

/** The upload was cancelled by whoever started it. */
export class Cancelled extends Error {}

/** Sends a file as a new version, as the SDK does; XHR, since fetch does not tell what was sent. */
export function upload(api: Api, model: string, file: File, onSent: (sent: Sent) => void): Upload {
  const request = new XMLHttpRequest();
  const marks: { at: number; bytes: number }[] = [];
  const result = new Promise<{ version: Schemas["Version"]; isNew: boolean }>((resolve, reject) => {
    request.open("POST", `/v1/models/${encodeURIComponent(model)}/versions`);
    const headers = api.headers({ "content-type": "application/octet-stream" });
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      marks.push({ at: performance.now(), bytes: event.loaded });
      if (marks.length > 20) marks.shift();
      const first = marks[0];
      const took = first === undefined ? 0 : performance.now() - first.at;
      const rate = first === undefined || took < 200 ? null : ((event.loaded - first.bytes) / took) * 1000;
      onSent({ bytes: event.loaded, of: file.size, rate });
    };
    request.onabort = () => reject(new Cancelled());
    request.onerror = () =>
      reject(
        noAnswer(
          "The connection ended before there was an answer. Nothing was kept of the file; send it again.",
        ),
      );
    request.onload = () => {
      if (request.status === 401) signInAgain();
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) {
        resolve({ version: body as Schemas["Version"], isNew: request.status === 201 });
      } else {
        reject(refusal(request, body));
      }
    };
    request.send(file);
  });
  return { result, cancel: () => request.abort() };
}

function refusal(request: XMLHttpRequest, body: unknown): ApiProblem {
  return problemFrom(request.status, body, request.getResponseHeader("retry-after"));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
