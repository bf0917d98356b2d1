/** What the parts of every page say. */
import { words } from "../words/words.js";

export const kitWords = words({
  en: {
    close: "Close",
    copy: "Copy",
    copied: "Copied",
    back: "Back",
    loading: "Loading",
    again: "Try again",
    failed: "That did not work",
    cashIn: "Deposit",
    cashOut: "Withdrawal",
    fees: "Fees",
    partnerBanks: "Bank settlement",
    account: (number: string) => `Account ${number}`,
    line: {
      live: "Connected",
      connecting: "Connecting…",
      waiting: "No connection. Trying again…",
      offline: "You are offline",
      asOf: (at: string) => `Shown as of ${at}`,
    },
  },
  pt: {
    close: "Fechar",
    copy: "Copiar",
    copied: "Copiado",
    back: "Voltar",
    loading: "Carregando",
    again: "Tentar de novo",
    failed: "Não deu certo",
    cashIn: "Depósito",
    cashOut: "Saque",
    fees: "Tarifas",
    partnerBanks: "Liquidação bancária",
    account: (number: string) => `Conta ${number}`,
    line: {
      live: "Conectado",
      connecting: "Conectando…",
      waiting: "Sem conexão. Tentando de novo…",
      offline: "Você está sem internet",
      asOf: (at: string) => `Mostrando ${at}`,
    },
  },
});
