/**
 * A wallet in React, on the same stores that Svelte shows: no adapter, only React's own hook for what lives outside of
 * it. The stores are made once, beside the hub; components come and go.
 */
import { useState, useSyncExternalStore } from "react";

import type { Hub, Readable, State } from "../../src/index.js";

/** A store's value, and a new picture whenever it is another one. */
export function useStore<Value>({ subscribe, getSnapshot }: Readable<Value>): Value {
  return useSyncExternalStore(subscribe, getSnapshot);
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "BRL" });

export function Wallet({ hub, state }: { readonly hub: Hub; readonly state: State }) {
  const { name, line } = useStore(state.session);
  const [account] = useStore(state.accounts);
  const payments = useStore(state.payments);
  if (account === undefined) return <p role="status">Connecting…</p>;
  return (
    <main>
      <h1>{name}</h1>
      {line !== "live" && <p role="status">No connection: this is how it was.</p>}
      <p aria-label="balance">{money.format(account.posted / 100)}</p>
      {account.pending > 0 && <p aria-label="on its way">{money.format(account.pending / 100)}</p>}
      <PayForm onPay={(payee, amount) => void hub.pay({ payer: account.account, payee, amount })} />
      <ul aria-label="payments">
        {payments.map(({ payment, state: how }) => (
          <li key={payment}>{how}</li>
        ))}
      </ul>
    </main>
  );
}

function PayForm({ onPay }: { readonly onPay: (payee: number, amount: number) => void }) {
  const [payee, setPayee] = useState("");
  const [amount, setAmount] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onPay(Number(payee), Number(amount));
      }}
    >
      <input aria-label="account" value={payee} onChange={(event) => setPayee(event.target.value)} />
      <input aria-label="amount in cents" value={amount} onChange={(event) => setAmount(event.target.value)} />
      <button type="submit">Pay</button>
    </form>
  );
}
