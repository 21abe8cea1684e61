import { z } from 'zod'

// Upstream is read tolerantly: a key that is absent and a key that is null are both null, unknown keys are dropped, and
// words of open sets stay strings.

/** A text that may be missing. */
export const text = z.string().nullable().default(null)
/** An integer (seconds, bytes, counts) that may be missing, or lost because it is beyond 2^53-1. */
export const integer = z.int().nullable().default(null)
/** A boolean that may be missing; null says that the server's own default holds. */
export const flag = z.boolean().nullable().default(null)
/** A list of texts that may be missing. */
export const texts = z.array(z.string()).nullable().default(null)

/** An item together with the paths of the fields that could not be read and are null in it. */
export type WithUnsafeIntegers<T> = T & {
  /** Integers beyond 2^53-1. */
  readonly unsafeIntegers: ReadonlyArray<string>
  /** Fields of another type than PBS says, ten at most; left out when there is none. */
  readonly oddFields?: ReadonlyArray<string>
}
