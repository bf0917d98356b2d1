/**
 * Merkle trees as RFC 6962 (section 2.1) hashes them, and their proofs, as RFC 9162 (2.1.3.2 and 2.1.4.2) checks them.
 * Sizes and places are whole numbers up to 2^53 - 1, so nothing here shifts bits of 32.
 */
import { type Bytes, concat, equal, sha256, u8 } from "./bytes.js";

export const HASH_SIZE = 32;
const LEAF = u8(0);
const NODE = u8(1);

/** The hash of a leaf that stands for `data`. */
export function hashLeaf(data: Uint8Array): Promise<Bytes> {
  return sha256(concat(LEAF, data));
}

/** The hash of a node above two others. */
export function hashNode(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(concat(NODE, left, right));
}

/** The root over these leaf hashes. A node without a neighbour rises as it is. */
export async function rootOf(leaves: readonly Bytes[]): Promise<Bytes> {
  let level = [...leaves];
  while (level.length > 1) {
    const above: Bytes[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      above.push(await hashNode(level[at] as Bytes, level[at + 1] as Bytes));
    }
    if (level.length % 2 === 1) above.push(level.at(-1) as Bytes);
    level = above;
  }
  return level[0] ?? sha256(new Uint8Array());
}

/** The root that a leaf and its path lead to; null: the path has not this leaf's length. */
export async function rootFrom(leaf: Bytes, index: number, size: number, path: Bytes): Promise<Bytes | null> {
  if (!isWhole(index) || !isWhole(size) || index >= size || path.length % HASH_SIZE !== 0) return null;
  let found = leaf;
  let last = size - 1;
  let place = index;
  for (const step of steps(path)) {
    if (last === 0) return null;
    if (isOdd(place) || place === last) {
      found = await hashNode(step, found);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      found = await hashNode(found, step);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 ? found : null;
}

/** Whether the path proves that the leaf is the `index`th of the `size` below the root. */
export async function isIncluded(
  leaf: Bytes,
  index: number,
  size: number,
  path: Bytes,
  root: Uint8Array,
): Promise<boolean> {
  const found = await rootFrom(leaf, index, size, path);
  return found !== null && equal(found, root);
}

/** Whether the proof shows that the larger tree begins with the smaller one. */
export async function isConsistent(
  oldSize: number,
  oldRoot: Bytes,
  newSize: number,
  newRoot: Bytes,
  proof: Bytes,
): Promise<boolean> {
  if (!isWhole(oldSize) || !isWhole(newSize) || oldSize > newSize || proof.length % HASH_SIZE !== 0) return false;
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, await rootOf([]));
  // A smaller tree that is a power of two is a node of the larger one, and is not sent again.
  const way = isPowerOfTwo(oldSize) ? [oldRoot, ...steps(proof)] : steps(proof);
  const [start, ...rest] = way;
  if (start === undefined) return false;
  let first = oldSize - 1;
  let last = newSize - 1;
  while (isOdd(first)) {
    first = half(first);
    last = half(last);
  }
  let before = start;
  let after = start;
  for (const step of rest) {
    if (last === 0) return false;
    if (isOdd(first) || first === last) {
      before = await hashNode(step, before);
      after = await hashNode(step, after);
      while (!isOdd(first) && first !== 0) {
        first = half(first);
        last = half(last);
      }
    } else {
      after = await hashNode(after, step);
    }
    first = half(first);
    last = half(last);
  }
  return last === 0 && equal(before, oldRoot) && equal(after, newRoot);
}

function steps(path: Bytes): Bytes[] {
  return Array.from({ length: path.length / HASH_SIZE }, (_, at) => path.slice(at * HASH_SIZE, (at + 1) * HASH_SIZE));
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let left = value;
  while (left > 1 && left % 2 === 0) left /= 2;
  return left === 1;
}
