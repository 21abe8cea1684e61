import {
  type Actor,
  type Facts,
  followsSettings,
  type HeldDeletions,
  keyText,
  type ModelName,
  modelNames,
  type NaturalKey,
  naturalKey,
  type Presence,
  type Scope,
  type ServerHealth,
  type ServerTiming,
  type Settings,
  scopeKey,
} from '@netbox-pbs/core'
import { defaultSettings } from '@netbox-pbs/core/settings'

/** The held deletions of the world, apart from their rows. */
export type HeldRecord = Omit<HeldDeletions, 'count'> & {
  readonly serverId: number | null
  readonly runs: ReadonlySet<number>
}

/** A row of main, of any model. */
export interface Row {
  readonly id: number
  presence: Presence
  facts: Readonly<Record<string, unknown>>
  missingSince: string | null
  /** The run whose list lacked it first, while it is absent. */
  absentRun: number | null
  /** Of a group: digest and snapshots of its last landed frame. */
  digest: string | null
  listed: number
  listDigest: string | null
  /** Of a server. */
  pendingSince: string | null
  timing: ServerTiming
  tags: ReadonlyArray<string>
}

/** The state of all fakes: main, the scopes' own rows, observations, and the number of writes to main. */
export class World {
  readonly rows: Record<ModelName, Map<number, Row>>
  /** The state of each scope, by its place. */
  readonly scopes = new Map<string, { visibility: string | null; at: string; fullAt: string | null }>()
  readonly observed = new Map<string, unknown>()
  /** The health of each server. */
  readonly health = new Map<number, ServerHealth>()
  /** Held deletions by the place of their scope. */
  readonly held = new Map<string, HeldRecord>()
  nextHeldId = 1
  /** The last name of each server, also of those that are deleted. */
  readonly #names = new Map<number, string>()
  settings: Settings = defaultSettings
  /** The actor of each edit, in order. */
  readonly actors: Array<Actor> = []
  /** Rows of main written, of any model. */
  writes = 0
  #nextId = 1

  constructor() {
    this.rows = Object.fromEntries(modelNames.map((model) => [model, new Map<number, Row>()])) as Record<
      ModelName,
      Map<number, Row>
    > // border: fromEntries forgets the names
  }

  insert(model: ModelName, facts: Readonly<Record<string, unknown>>, presence: Presence): Row {
    const id = this.#nextId++
    const row: Row = {
      ...{
        id,
        presence,
        facts,
        missingSince: null,
        absentRun: null,
        digest: null,
        listed: 0,
        listDigest: null,
        tags: [],
      },
      ...{ pendingSince: null, timing: followsSettings },
    }
    this.rows[model].set(id, row)
    this.writes++
    return row
  }

  remove(model: ModelName, id: number): void {
    // Read, so that the last name of a server that goes is kept.
    void this.names
    if (!this.rows[model].delete(id)) return
    this.writes++
    if (model === 'server') this.#removeChildren(id)
  }

  /** All that belongs to a server goes with it. */
  #removeChildren(server: number): void {
    for (const model of modelNames) for (const row of this.where(model, { server })) this.rows[model].delete(row.id)
    for (const places of [this.scopes, this.held])
      for (const place of places.keys()) if (place.includes(`"#${server}"`)) places.delete(place)
    this.health.delete(server)
  }

  /** The place of a scope: its key, with its server by id, so that it stays the same when the server is renamed. */
  placeOf(scope: Scope): string {
    return scopeKey(scope.resource === 'servers' ? scope : { ...scope, server: `#${this.serverId(scope.server)}` })
  }

  byKey(model: ModelName, key: NaturalKey): Row | undefined {
    const text = keyText(key)
    return this.all(model).find((row) => keyText(naturalKey(model, row.facts)) === text)
  }

  all(model: ModelName): ReadonlyArray<Row> {
    return [...this.rows[model].values()]
  }

  /** Rows of a model whose facts have these values. */
  where(model: ModelName, facts: Readonly<Record<string, unknown>>): ReadonlyArray<Row> {
    return this.all(model).filter((row) => Object.entries(facts).every(([name, value]) => row.facts[name] === value))
  }

  /** The name of each server, or its last one. */
  get names(): ReadonlyMap<number, string> {
    for (const { id, facts } of this.all('server')) this.#names.set(id, String(facts['name']))
    return this.#names
  }

  serverId(name: string): number {
    return this.where('server', { name })[0]?.id ?? -1
  }

  healthOf(server: string): ServerHealth | null {
    return this.health.get(this.serverId(server)) ?? null
  }

  /** The rows whose absence a complete list of the scope would claim. */
  inScope(scope: Scope): ReadonlyArray<Row> {
    if (scope.resource === 'servers') return this.all('server')
    const server = this.serverId(scope.server)
    switch (scope.resource) {
      case 'datastores':
        return this.where('datastore', { server })
      case 'namespaces':
        return this.where('namespace', { server, datastore_name: scope.datastore })
      case 'snapshots':
        return this.where('snapshot', { server, datastore_name: scope.datastore, namespace: scope.namespace })
      case 'jobs':
        return this.where('job', { server, job_type: scope.job_type })
      case 'tasks':
        // No absence is claimed of them.
        return []
    }
  }

  /** Notes since when a server is pending, or that it is not. */
  notePending(server: number): void {
    const row = this.rows.server.get(server)
    if (row !== undefined)
      row.pendingSince = row.facts['endpoint_state'] === 'pending' ? (row.pendingSince ?? began) : null
  }

  /** A server that is connected, as a sync of the servers would have made it. */
  connect(name: string, endpointId: number): Row {
    return this.insert('server', serverFacts(name, endpointId), 'listed')
  }
}

/** When rows of the fake become pending: the tests' clock begins with the epoch. */
const began = '1970-01-01T00:00:00Z'

/** The facts of a connected server. */
export const serverFacts = (name: string, endpoint_id: number | null): Facts<'server'> => ({
  name,
  host: `${name}.example.org`,
  port: 8007,
  token_id: 'reader@pbs!netbox',
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
  version: '4.2.1',
  timezone: 'UTC',
  endpoint_id,
  endpoint_state: endpoint_id === null ? 'none' : 'connected',
})
