import { assert } from "../../errors.js";

/** Which blocks of a pool are in use, and by how many sequences. Plain data; block 0 is never given out: rows that pad a batch write there. */
export class BlockPool {
  #users: number[] = [0];
  #free: number[] = [];

  /** Blocks there are, block 0 included. */
  get size(): number {
    return this.#users.length;
  }
  /** Blocks that can be taken. */
  get free(): number {
    return this.#free.length;
  }

  /** Adds blocks up to `size` of them in all. */
  grow(size: number): void {
    const first = this.size;
    // Taken from the end: the new blocks lowest first.
    const fresh = Array.from({ length: size - first }, (_, i) => size - 1 - i);
    this.#free = [...fresh, ...this.#free];
    for (let block = first; block < size; block++) this.#users.push(0);
  }

  take(): number {
    const block = this.#free.pop();
    assert(block !== undefined, `all ${this.size} blocks of the cache are in use`);
    this.#users[block] = 1;
    return block;
  }

  /** One more sequence reads this block. */
  share(block: number): void {
    assert(this.#users[block]! > 0, `block ${block} is shared but free`);
    this.#users[block]!++;
  }

  /** One sequence less; the last one frees it. */
  release(block: number): void {
    assert(this.#users[block]! > 0, `block ${block} is released but free`);
    if (--this.#users[block]! === 0) this.#free.push(block);
  }
}
