/** A file on its way to the hub, with how far it has come: files go over HTTP, and fetch does not say how far. */
import { CommandRefused } from "../../../../hub/refused.js";
import type { Problem } from "../../../../hub/wire.js";

const TYPES: Readonly<Record<string, string>> = { csv: "text/csv", xml: "application/xml", txt: "text/plain", rem: "text/plain", cnab: "text/plain" };
/** What a file dialog offers. */
export const ENDINGS = Object.keys(TYPES).map((ending) => `.${ending}`).join(",");

/** By its name's ending; undefined: it is none of what the hub reads. */
export function mediaTypeOf(name: string): string | undefined {
  return TYPES[name.split(".").pop()?.toLowerCase() ?? ""];
}

export function upload(path: string, token: string, file: Blob, type: string, told: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("authorization", `Bearer ${token}`);
    request.setRequestHeader("content-type", type);
    request.upload.onprogress = ({ loaded, total }) => told(total === 0 ? 0 : loaded / total);
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(toRefused(request.responseText));
    };
    request.onerror = () => reject(new Error("The line broke."));
    request.send(file);
  });
}

/** What cannot be read as a problem is one of the line's, and not the hub's word. */
export function toRefused(text: string): Error {
  try {
    const problem = JSON.parse(text) as Problem;
    return new CommandRefused({ ...problem, message: problem.title });
  } catch {
    return new Error("The answer was none of the hub's.");
  }
}

/** Hand a file over to whoever looks at the page. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
