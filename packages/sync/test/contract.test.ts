import { queueContract } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { beforeEach, describe } from 'vitest'
import { MemoryQueue } from './memory/queue.ts'

// The fakes of this folder keep the contracts that PostgreSQL keeps: packages/store-postgres/test runs the same suites.

describe('Queue in memory', () => {
  const queue = new MemoryQueue()
  queue.delays = true
  beforeEach(() => queue.clear())
  queueContract({
    run: (effect) => Effect.runPromise(Effect.provide(effect, queue.layer)),
    tries: queue.tries,
    endDelays: async () => queue.endDelays(),
  })
})
