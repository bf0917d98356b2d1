/** Files that are brought forward as evidence, as the hub takes them (core.payments.dispute_evidence). */
import type { AddEvidence } from "../../../../hub/wire.js";

export const SIZE_MAX = 36 * 1024;
export type MediaType = NonNullable<AddEvidence["media_type"]>;
export const MEDIA_TYPES: readonly MediaType[] = ["application/pdf", "image/jpeg", "image/png", "text/plain"];

export function mediaTypeOf(file: Pick<File, "type">): MediaType | undefined {
  return MEDIA_TYPES.find((one) => one === file.type);
}

export async function toBase64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: string, type: string): Blob {
  return new Blob([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], { type });
}
