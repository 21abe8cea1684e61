import { listedModel, type ModelName, scopeTitle } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Summary } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import type { TouchedScope } from './touched-scopes.ts'

/** The columns of a staged row that say which scope it is of. */
const scopeColumns = {
  server: [],
  datastore: ['server_id'],
  namespace: ['server_id', 'datastore_name'],
  group: ['server_id', 'datastore_name', 'namespace'],
  snapshot: ['server_id', 'datastore_name', 'namespace'],
  job: ['server_id', 'job_type'],
} as const satisfies Partial<Record<ModelName, ReadonlyArray<string>>>

const models = ['server', 'datastore', 'namespace', 'group', 'snapshot', 'job'] as const

interface Created {
  readonly rows: number
  readonly server_id?: number
  readonly datastore_name?: string
  readonly namespace?: string
  readonly job_type?: string
}

/**
 * The number of rows that a part has created of each model in each scope, for the log. A row that
 * main had already does not count.
 */
export async function createdByScope(
  db: Kysely<Tables>,
  part: number,
  scopes: ReadonlyArray<TouchedScope>,
): Promise<ReadonlyArray<Summary>> {
  const counts = new Map<TouchedScope, Partial<Record<ModelName, number>>>()
  for (const model of models) {
    const names = scopeColumns[model].map((name) => sql.ref(`w.${name}`))
    const of = names.length === 0 ? sql`` : sql`, ${sql.join(names)}`
    const { rows } = await sql<Created>`
      select count(*) as rows${of} from ${sql.table(`staged_${tables[model]}`)} w
      where w.part_id = ${part}::bigint and w.op = 'create'
        and (w.id is null or exists (select from ${sql.table(tables[model])} m where m.id = w.id))
      ${names.length === 0 ? sql`having count(*) > 0` : sql`group by ${sql.join(names)}`}`.execute(db)
    for (const created of rows) {
      const scope = scopes.find((one) => lists(one, model) && isOf(one, created))
      if (scope !== undefined) counts.set(scope, { ...counts.get(scope), [model]: created.rows })
    }
  }
  return [...counts].map(([{ scope, place }, of]) => ({
    model: listedModel[scope.resource],
    title: scopeTitle(scope),
    serverId: place.serverId,
    counts: of,
  }))
}

const lists = ({ scope }: TouchedScope, model: ModelName): boolean =>
  listedModel[scope.resource] === (model === 'group' ? 'snapshot' : model)

const isOf = ({ place }: TouchedScope, { server_id, datastore_name, namespace, job_type }: Created): boolean =>
  place.serverId === (server_id ?? null) &&
  place.datastoreName === (datastore_name ?? '') &&
  place.namespace === (namespace ?? '') &&
  place.jobType === (job_type ?? '')
