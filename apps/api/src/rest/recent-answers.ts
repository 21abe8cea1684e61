import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Context, Effect, Layer } from 'effect'

/** An answer that may be given again. */
export interface KeptAnswer {
  readonly text: string
  /** Parameters that changed nothing. */
  readonly ignored: ReadonlyArray<string>
}

/** Answers that were just given, for as long as nothing has been committed since. */
export class RecentAnswers extends Context.Tag('@netbox-pbs/api/RecentAnswers')<
  RecentAnswers,
  {
    readonly get: (revision: string, key: string) => KeptAnswer | undefined
    /** Whether an earlier request has met this revision too: what is written all the time is not worth keeping. */
    readonly isQuiet: (revision: string) => boolean
    readonly keep: (revision: string, key: string, answer: KeptAnswer) => void
  }
>() {}

/** Characters of all kept answers, and of one. */
const limits = { all: 16_000_000, one: 1_000_000 } as const

/** Keeps answers of one revision in the memory of this process; of another revision they are worth nothing. */
export const recentAnswersLayer: Layer.Layer<RecentAnswers> = Layer.sync(RecentAnswers, () => {
  const answers = new Map<string, KeptAnswer>()
  let current: string | null = null
  let length = 0
  const clear = () => {
    answers.clear()
    length = 0
  }
  return {
    isQuiet: (revision) => {
      if (revision === current) return true
      current = revision
      clear()
      return false
    },
    get: (revision, key) => (revision === current ? answers.get(key) : undefined),
    keep: (revision, key, answer) => {
      const size = answer.text.length + key.length
      if (revision !== current || size > limits.one || answers.has(key)) return
      if (length + size > limits.all) clear()
      answers.set(key, answer)
      length += size
    },
  }
})

/**
 * An answer from those that were just given, or a new one. The revision is read when the request has
 * come, so an answer is never older than a commit that came before the request, whichever process
 * made it; and read again when the answer is made, so that no commit lies between its parts.
 */
export const recentOr = <E, R>(
  key: string,
  make: Effect.Effect<KeptAnswer, E, R>,
): Effect.Effect<KeptAnswer, E | StoreFailed, R | RecentAnswers | InventoryLists> =>
  Effect.gen(function* () {
    const recent = yield* RecentAnswers
    const { revision } = yield* InventoryLists
    const before = yield* revision
    const known = recent.get(before, key)
    if (known !== undefined) return known
    const isQuiet = recent.isQuiet(before)
    const made = yield* make
    if (isQuiet && (yield* revision) === before) recent.keep(before, key, made)
    return made
  })
