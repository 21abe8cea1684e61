import { Option } from 'effect'
import type { Job, PgBoss } from 'pg-boss'
import type { Driver } from '../database/database.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import { bossDriver } from './boss.ts'

/** How often another worker may take the next job first before we give up for now. */
const contenders = 20

/**
 * The next job whose key is free. If two workers reach for jobs of one key at once, the second
 * breaks the unique index and pg-boss reports an empty queue although a job of another key may
 * wait, so this asks again.
 */
export async function fetchJob(boss: PgBoss, driver: Driver, queue: string): Promise<Option.Option<Job<unknown>>> {
  const ours = bossDriver(driver)
  for (let n = 0; n < contenders; n += 1) {
    let taken = false
    const [job] = await boss.fetch<unknown>(queue, {
      db: {
        executeSql: async (text, values) => {
          try {
            return await ours.executeSql(text, values)
          } catch (cause) {
            taken = isUniqueViolation(cause)
            throw cause
          }
        },
      },
    })
    if (job !== undefined || !taken) return Option.fromNullable(job)
  }
  return Option.none()
}
