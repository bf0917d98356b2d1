/** What is set is all there is: what is left out falls back to the tenant's. So a change brings the rest along. */
import type { NoticeSettingsAnswer, SetNoticeSettings } from "../../../../hub/wire.js";

export type Muted = NoticeSettingsAnswer["muted"][number];
type Wishes = Omit<SetNoticeSettings, "type" | "id">;
export type Change = { readonly [Name in keyof Wishes]?: Wishes[Name] | undefined };

export function settingsOf({ muted, language, quiet_from, quiet_to }: NoticeSettingsAnswer, change: Change): Wishes {
  const wished = { muted, language, quiet_from, quiet_to, ...change };
  return Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)) as Wishes;
}
