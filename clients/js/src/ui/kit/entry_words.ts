/** What happened on an account, as people call it; and the names of the tenant's own accounts. */
import type { EventName } from "../../hub/codes.js";
import { words } from "../words/words.js";
import { kitWords } from "./words.js";

export const entryWords = words<Record<EventName, string>>({
  en: {
    "payment.sent": "Payment",
    "payment.received": "Payment received",
    "charge.paid": "Charge paid",
    "payment.reversed": "Payment undone",
    "hold.placed": "Reserved",
    "hold.captured": "Reserved amount paid",
    "hold.voided": "Reservation let go",
    "hold.expired": "Reservation expired",
    "refund.sent": "Refund",
    "refund.received": "Refund received",
    "review.opened": "Being looked at",
    "review.released": "Let through",
    "review.declined": "Not let through",
    "dispute.held": "Disputed, reserved",
    "dispute.charged_back": "Dispute paid back",
    "dispute.released": "Dispute over",
    "fee.kept": "Fee",
    "fee.returned": "Fee given back",
  },
  pt: {
    "payment.sent": "Pagamento",
    "payment.received": "Pagamento recebido",
    "charge.paid": "Cobrança paga",
    "payment.reversed": "Pagamento desfeito",
    "hold.placed": "Reservado",
    "hold.captured": "Reserva paga",
    "hold.voided": "Reserva liberada",
    "hold.expired": "Reserva vencida",
    "refund.sent": "Devolução",
    "refund.received": "Devolução recebida",
    "review.opened": "Em análise",
    "review.released": "Análise aprovada",
    "review.declined": "Análise recusada",
    "dispute.held": "Contestado, reservado",
    "dispute.charged_back": "Contestação devolvida",
    "dispute.released": "Contestação encerrada",
    "fee.kept": "Tarifa",
    "fee.returned": "Tarifa devolvida",
  },
});

/** The tenant's own books have the first numbers (core.nouns.SystemAccount). */
const SYSTEM = { 1: "cashIn", 2: "cashOut", 3: "fees", 4: "partnerBanks" } as const;

export function isSystem(account: number): boolean {
  return account in SYSTEM;
}

export function systemName(account: number): string | undefined {
  const name = SYSTEM[account as keyof typeof SYSTEM];
  return name === undefined ? undefined : kitWords()[name];
}
