import type { Asks } from '../crash/asks.ts'
import { canonical } from '../crash/stored-inventory.ts'
import type { Row } from './fleet-history.ts'
import type { Main } from './invariants.ts'

interface Entry {
  readonly id: number
  readonly action: 'create' | 'update' | 'delete'
  readonly model: string
  readonly object_id: number | null
  readonly before: Row | null
  readonly after: Row | null
}

const modelOf = {
  datastores: 'datastore',
  namespaces: 'namespace',
  groups: 'group',
  snapshots: 'snapshot',
  jobs: 'job',
} as const
/** Fields that the log and the rows of main name alike. */
const compared = ['comment', 'owner', 'protected', 'verification_state', 'schedule', 'maintenance'] as const

/** Replays the change log: each entry must begin where the one before it ended, and the last must end with main. */
export class LogReplay {
  #last = 0
  readonly #known = new Map<string, Map<string, unknown>>()

  /** Faults of the entries since the last call. */
  async faults(asks: Asks, main: Main): Promise<ReadonlyArray<string>> {
    const found: Array<string> = []
    const entries = await asks.sql<Entry>(
      `select id, action, model, object_id, before, after from changes where id > $1 and object_id is not null
        and model in ('datastore', 'namespace', 'group', 'snapshot', 'job') order by id`,
      [this.#last],
    )
    for (const entry of entries) {
      this.#last = Number(entry.id)
      const name = `${entry.model} ${entry.object_id}`
      const known = this.#known.get(name) ?? new Map<string, unknown>()
      for (const [field, value] of Object.entries(entry.before ?? {})) {
        if (known.has(field) && canonical(known.get(field)) !== canonical(value))
          found.push(
            `entry ${entry.id} of the log changes ${field} of ${name} from ${canonical(value)}, and it was ${canonical(known.get(field))}`,
          )
      }
      if (entry.action === 'delete') {
        this.#known.delete(name)
        continue
      }
      for (const [field, value] of Object.entries(entry.after ?? {})) known.set(field, value)
      this.#known.set(name, known)
    }
    for (const [key, { model, id, facts }] of main) {
      const known = this.#known.get(`${modelOf[model]} ${id}`)
      if (known === undefined) continue
      for (const field of compared)
        if (known.has(field) && Object.hasOwn(facts, field) && canonical(known.get(field)) !== canonical(facts[field]))
          found.push(
            `${field} of ${key} is ${canonical(facts[field])}, and the log says ${canonical(known.get(field))}`,
          )
    }
    return found
  }
}
