/** Felt in the hand, if the device can. Browsers complain of a page that does so before anybody has touched it. */
export function vibrate(pattern: number | number[]): void {
  if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(pattern);
}
