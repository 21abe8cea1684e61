import { createRandom } from '../state/random.ts'

/** Permutations of `0..length-1` for the lists of one call; equal arguments give equal orders. */
export const shuffler = (seed: number, callNumber: number): ((length: number) => Uint32Array) => {
  const random = createRandom(seed ^ Math.imul(callNumber, 0x2545f491))
  return (length) => {
    const order = Uint32Array.from({ length }, (_, index) => index)
    for (let index = length - 1; index > 0; index -= 1) {
      const other = random.upTo(index + 1)
      const kept = order[index] ?? 0
      order[index] = order[other] ?? 0
      order[other] = kept
    }
    return order
  }
}
