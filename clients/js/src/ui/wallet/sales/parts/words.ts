/** What several of the merchant's pages say. */
import { words } from "../../../words/words.js";

export const partWords = words({
  en: {
    sales: "Sales",
    secret: "Secret",
    once: "Copy it now. It is not kept anywhere where it could be read, so nobody can show it again.",
    kept: "I have kept it",
    more: "Show more",
    cancel: "Not now",
    keep: "Keep it",
    name: "Name",
    nameMissing: "Give it a name that you will know it by.",
    created: (when: string) => `Made ${when}`,
    lastUsed: (when: string) => `last used ${when}`,
    neverUsed: "not used yet",
    revoked: "Revoked",
    expired: "Expired",
    active: "Active",
  },
  pt: {
    sales: "Vendas",
    secret: "Segredo",
    once: "Copie agora. Ele não fica guardado em lugar onde possa ser lido, então ninguém consegue mostrar de novo.",
    kept: "Já guardei",
    more: "Mostrar mais",
    cancel: "Agora não",
    keep: "Manter",
    name: "Nome",
    nameMissing: "Dê um nome para você reconhecer depois.",
    created: (when: string) => `Criada em ${when}`,
    lastUsed: (when: string) => `usada em ${when}`,
    neverUsed: "ainda não usada",
    revoked: "Revogada",
    expired: "Vencida",
    active: "Ativa",
  },
});
