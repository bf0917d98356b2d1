/** A till without a screen (`@payhub/client/till`): for pages, for Node, for tests and load. */
export { type AccountDay, readDay } from "./account_day.js";
export { Book, type Pages } from "./book.js";
export { Charges } from "./charges.js";
export { type DaySums, momentOf, sumDay } from "./day.js";
export { TillKey } from "./key.js";
export type { ChargeRecord, PaidBy, SaleRecord, TabRecord } from "./records.js";
export { findBroken, isSaleSigned } from "./signing.js";
export { type NotTaken, SaleNotTaken, Tabs } from "./tabs.js";
export { type Paired, Terminal } from "./terminal.js";
export { Till, type TillOptions, type Standing } from "./till.js";
