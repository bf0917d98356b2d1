/** What somebody takes home: files of the page's own, and those that the hub hands out to whoever shows their token. */
import { CommandRefused } from "../../hub/refused.js";
import type { Problem } from "../../hub/wire.js";
import type { Visit } from "./visit.svelte.js";

/** So long a browser may take to begin; then the memory is given back. */
const BEGUN_MS = 60_000;

export function saveFile(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BEGUN_MS);
}

/** Fetch a file with this log-in's token, and save it. Rejected as a command is. */
export async function download(visit: Visit, path: string, name: string): Promise<void> {
  const content = await visit.guarded(async (token) => {
    const response = await fetch(path, { headers: { authorization: `Bearer ${token ?? (await visit.token())}` } });
    if (response.ok) return response.blob();
    const problem = (await response.json()) as Problem;
    throw new CommandRefused({ ...problem, message: problem.title });
  });
  saveFile(name, content);
}
