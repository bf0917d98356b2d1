/** How payments and people stand, in words and in tone. */
import type { LifeState } from "../../../hub/wire.js";
import { words } from "../../words/words.js";

export type Tone = "calm" | "good" | "wait" | "bad";

export const statusWords = words({
  en: {
    payment: {
      posted: "Posted",
      in_review: "In review",
      fenced: "Never arrived",
      insufficient_funds: "Not enough money",
      limit_exceeded: "Above a limit",
      payer_not_found: "No such payer",
      payee_not_found: "No such payee",
      payer_not_open: "Payer blocked or closed",
      payee_not_open: "Payee blocked or closed",
      payee_denied: "Payee denied",
      accounts_must_differ: "To oneself",
      amount_out_of_range: "Amount out of range",
      charge_closed: "Charge closed",
      charge_expired: "Charge expired",
      charge_not_found: "No such charge",
      charge_amount_differs: "Not the charge's amount",
      linked_refused: "Refused with its group",
      hold_closed: "Nothing reserved any more",
      hold_expired: "Reservation expired",
      capture_exceeds_hold: "More than reserved",
      refund_exceeds_captured: "More than can go back",
      dispute_open: "A dispute is open",
      not_in_review: "Not in review",
      still_in_review: "Still in review",
      subject_not_found: "Nothing to be about",
      shares_not_payable: "Shares cannot be paid",
      balance_out_of_range: "Balance out of range",
      declined: "Not let through",
      unknown: "Unknown",
    },
    kind: {
      pay: "Payment",
      authorize: "Reservation",
      capture: "Captured",
      void: "Let go",
      expire: "Expired",
      refund: "Refund",
      reverse: "Undone",
      dispute: "Reserved for a dispute",
      chargeback: "Charged back",
      absolve: "Dispute's reserve let go",
      release: "Released",
      decline: "Declined",
    },
    person: { active: "Active", pending: "Pending", blocked: "Blocked", closed: "Closed" },
    action: { refuse: "Refuses", review: "Sets aside", alert: "Tells operators" },
    acted: { refuse: "Refused", review: "Set aside", alert: "Let through, told" },
    measure: {
      payment: "one payment",
      day: "a day's sum",
      night: "a night's sum",
      month: "a month's sum",
      velocity: "payments in a while",
      new_payee: "to a new payee",
      new_device: "from a new device",
      new_device_day: "a day's sum from a new device",
      received_payment: "one payment received",
      received_day: "a day's sum received",
      received_month: "a month's sum received",
    },
    dispute: {
      open: "Waits for the payee",
      under_review: "Waits for you",
      accepted: "Accepted",
      partly_accepted: "Partly accepted",
      rejected: "Rejected",
      withdrawn: "Withdrawn",
      expired: "Not claimed in time",
    },
    reason: {
      duplicate: "Paid twice",
      fraud: "Fraud",
      not_as_described: "Not as described",
      not_received: "Not received",
      other: "Something else",
      wrong_amount: "Wrong amount",
    },
  },
  pt: {
    payment: {
      posted: "Efetivado",
      in_review: "Em análise",
      fenced: "Nunca chegou",
      insufficient_funds: "Sem saldo",
      limit_exceeded: "Acima de um limite",
      payer_not_found: "Pagador não existe",
      payee_not_found: "Recebedor não existe",
      payer_not_open: "Pagador bloqueado ou encerrado",
      payee_not_open: "Recebedor bloqueado ou encerrado",
      payee_denied: "Recebedor negado",
      accounts_must_differ: "Para si mesmo",
      amount_out_of_range: "Valor fora da faixa",
      charge_closed: "Cobrança encerrada",
      charge_expired: "Cobrança vencida",
      charge_not_found: "Cobrança não existe",
      charge_amount_differs: "Não é o valor da cobrança",
      linked_refused: "Recusado com o grupo",
      hold_closed: "Nada mais reservado",
      hold_expired: "Reserva vencida",
      capture_exceeds_hold: "Mais que o reservado",
      refund_exceeds_captured: "Mais do que pode voltar",
      dispute_open: "Há contestação aberta",
      not_in_review: "Não está em análise",
      still_in_review: "Ainda em análise",
      subject_not_found: "Sem pagamento correspondente",
      shares_not_payable: "Divisão não pode ser paga",
      balance_out_of_range: "Saldo fora da faixa",
      declined: "Não aprovado",
      unknown: "Desconhecido",
    },
    kind: {
      pay: "Pagamento",
      authorize: "Reserva",
      capture: "Capturado",
      void: "Liberado",
      expire: "Vencido",
      refund: "Devolução",
      reverse: "Desfeito",
      dispute: "Reservado por contestação",
      chargeback: "Devolvido por contestação",
      absolve: "Reserva da contestação liberada",
      release: "Aprovado",
      decline: "Recusado na análise",
    },
    person: { active: "Ativa", pending: "Pendente", blocked: "Bloqueada", closed: "Encerrada" },
    action: { refuse: "Recusa", review: "Separa para análise", alert: "Avisa operadores" },
    acted: { refuse: "Recusado", review: "Separado", alert: "Passou, com aviso" },
    measure: {
      payment: "um pagamento",
      day: "soma do dia",
      night: "soma da noite",
      month: "soma do mês",
      velocity: "pagamentos num intervalo",
      new_payee: "a um recebedor novo",
      new_device: "de um aparelho novo",
      new_device_day: "soma do dia de um aparelho novo",
      received_payment: "um recebimento",
      received_day: "soma recebida no dia",
      received_month: "soma recebida no mês",
    },
    dispute: {
      open: "Aguarda o recebedor",
      under_review: "Aguarda você",
      accepted: "Aceita",
      partly_accepted: "Aceita em parte",
      rejected: "Rejeitada",
      withdrawn: "Retirada",
      expired: "Não resgatada a tempo",
    },
    reason: {
      duplicate: "Pago duas vezes",
      fraud: "Fraude",
      not_as_described: "Diferente do descrito",
      not_received: "Não recebido",
      other: "Outro motivo",
      wrong_amount: "Valor errado",
    },
  },
});

/** What became of a payment that a rule had set aside is in what came after. */
export function standingOf(life: LifeState): string {
  if (life.status !== "in_review" || life.in_review) return life.status;
  return life.captured > 0 || life.kind === "authorize" && (life.held ?? 0) > 0 ? "posted" : "declined";
}

export function toneOfPayment(status: string): Tone {
  if (status === "posted") return "good";
  return status === "in_review" || status === "unknown" ? "wait" : "bad";
}

export function toneOfPerson(status: string): Tone {
  return status === "active" ? "good" : status === "pending" ? "wait" : status === "blocked" ? "bad" : "calm";
}

export function toneOfDispute(status: string): Tone {
  return status === "under_review" ? "wait" : status === "open" ? "calm" : status === "rejected" ? "bad" : "good";
}
