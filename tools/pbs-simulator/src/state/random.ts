/** A seeded source of numbers; the same seed gives the same sequence everywhere. */
export interface Random {
  /** An integer `0 <= n < limit`. */
  readonly upTo: (limit: number) => number
  /** One of the items; throws on an empty list. */
  readonly pick: <Item>(items: readonly Item[]) => Item
  /** True with the given probability 0..1. */
  readonly chance: (probability: number) => boolean
  /** Lower-case hex of so many characters. */
  readonly hex: (length: number) => string
  /** A 32-bit seed for something of its own. */
  readonly seed: () => number
}

/** Creates a random source (mulberry32). */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return (value ^ (value >>> 14)) >>> 0
  }
  const upTo = (limit: number): number => Math.floor((next() / 0x1_0000_0000) * limit)
  return {
    upTo,
    pick: (items) => {
      const item = items[upTo(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    chance: (probability) => next() / 0x1_0000_0000 < probability,
    hex: (length) => Array.from({ length }, () => upTo(16).toString(16)).join(''),
    seed: next,
  }
}

/** A lower-case UUID of version 4, as PBS makes token secrets. */
export const uuidOf = (random: Random): string =>
  `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-${random.pick(['8', '9', 'a', 'b'])}${random.hex(3)}-${random.hex(12)}`

/** 32 bytes as colon-separated hex: a fingerprint. */
export const fingerprintOf = (random: Random): string => Array.from({ length: 32 }, () => random.hex(2)).join(':')
