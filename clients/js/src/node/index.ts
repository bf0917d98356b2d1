/** What Node needs beside the library: files for the outbox, and a WebSocket where Node has none of its own. */
import { WebSocket as Ws } from "ws";

import type { SocketClass } from "../hub/connection.js";

export { FolderStorage } from "./folder_storage.js";

/** Of the package ws, for Node 20. It sends no Origin, as the hub's native door wants it. */
export const NodeWebSocket: SocketClass = class extends Ws {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
} as unknown as SocketClass;
