/** Which version of the client this is, as its package says. */

/** Written in when the pages are built: vite.config.ts. */
declare const __PAYHUB_VERSION__: string;

export const version: string = __PAYHUB_VERSION__;
