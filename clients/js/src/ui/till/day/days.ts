/** A day as the shop's clock has it, for whoever sums it up. */
export function dayOf(at: number): [from: number, to: number] {
  const date = new Date(at);
  const from = new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return [from, new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime()];
}
