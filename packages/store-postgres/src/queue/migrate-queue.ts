import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { PgBoss } from 'pg-boss'
import type { Database } from '../database/database.ts'
import { bossOptions, deliveryQueueName, deliveryQueueOptions, queueName, queueOptions, queuePolicy } from './boss.ts'

const operation = 'migrating the queue'

const queues = [
  [queueName, queueOptions],
  [deliveryQueueName, deliveryQueueOptions],
] as const

/**
 * Brings the queue's own schema up to date and makes the queues. pg-boss does it under a lock of its
 * own, so that many may start at once.
 */
export function migrateQueue(database: typeof Database.Service): Effect.Effect<void, StoreFailed> {
  const opened = Effect.sync(() => {
    const boss = new PgBoss({ ...bossOptions(database.driver), migrate: true, supervise: false })
    // Emitted in addition to the rejection that reports the same error.
    boss.on('error', () => undefined)
    return boss
  })
  return Effect.acquireUseRelease(
    opened,
    (boss) =>
      database.query(operation, async () => {
        await boss.start()
        for (const [name, options] of queues) {
          await boss.createQueue(name, { ...options, policy: queuePolicy })
          // A queue that an earlier release made follows this one.
          await boss.updateQueue(name, options)
        }
      }),
    (boss) => Effect.promise(() => boss.stop({ graceful: false, close: false })),
  )
}
