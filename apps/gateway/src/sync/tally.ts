import type { StoredEndpoint } from '@netbox-pbs/core/ports'
import type { Frame, SyncItem } from '@netbox-pbs/proxbox-client/contract'

/** Counts what went by for each endpoint, for the `end` frame and the summaries. */
export class Tally {
  readonly #fetched = new Map<string, number>()
  readonly #errors = new Map<string, Array<string>>()
  readonly #rowsOf: ReadonlySet<string>

  /** @param resource - What was asked for; snapshots are counted, not the namespaces listed on the way. */
  constructor(readonly resource: string) {
    this.#rowsOf = new Set(resource === 'snapshots' ? ['group'] : ['server', 'datastore', 'job', 'task'])
  }

  /** Counts one frame. */
  see(frame: Frame): void {
    if (frame.frame === 'failed') {
      if ('server' in frame) this.fail(frame.server, frame.error.message)
    } else if (this.#rowsOf.has(frame.frame) && 'server' in frame) {
      this.#add(frame.server, frame.frame === 'group' ? frame.snapshots.length : 1)
    }
  }

  /** Counts one row that has no frame. */
  answered(server: string): void {
    this.#add(server, 1)
  }

  /** Notes an error of one server. */
  fail(server: string, error: string): void {
    const errors = this.#errors.get(server)
    if (errors === undefined) this.#errors.set(server, [error])
    else if (errors.length < maxErrors) errors.push(error)
  }

  /** One item for each endpoint, the ones without rows too. */
  items(endpoints: ReadonlyArray<StoredEndpoint>, netbox_branch_schema_id: string | null): ReadonlyArray<SyncItem> {
    return endpoints.map(({ id, name }) => ({
      endpoint_id: id,
      name,
      resource: this.resource,
      fetched: this.#fetched.get(name) ?? 0,
      written: 0,
      errors: this.#errors.get(name) ?? [],
      netbox_branch_schema_id,
    }))
  }

  #add(server: string, rows: number): void {
    this.#fetched.set(server, (this.#fetched.get(server) ?? 0) + rows)
  }
}

/** Every failed scope has its own frame; the summary of one server names so many. */
const maxErrors = 100
