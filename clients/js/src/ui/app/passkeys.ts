/** Passkeys: the hub's options as a page gives them to the browser, and the browser's answer as the hub reads it (WebAuthn 3, 5.1). */

/** Whether this browser can do it at all. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

/** The answer to `navigator.credentials.get`, as text. Rejected when the person did not want to. */
export async function answerPasskey(options: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options) as PublicKeyCredentialRequestOptionsJSON);
  return textOf(await navigator.credentials.get({ publicKey }));
}

/** The answer to `navigator.credentials.create`, as text. */
export async function makePasskey(options: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options) as PublicKeyCredentialCreationOptionsJSON);
  return textOf(await navigator.credentials.create({ publicKey }));
}

function textOf(credential: Credential | null): string {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("There is no passkey here.");
  return JSON.stringify(credential.toJSON());
}
