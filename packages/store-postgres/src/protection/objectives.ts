import {
  type LoggedValues,
  mostObjectiveRules,
  type ObjectiveRuleValues,
  objectiveFields,
  type StoredObjectiveRule,
} from '@netbox-pbs/core'
import { ObjectiveNameTaken, Objectives, TooManyObjectives } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, sql } from 'kysely'
import { differing, logOther } from '../change-log/log-other.ts'
import { Database } from '../database/database.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import {
  anyContains,
  recordCondition,
  recordCount,
  recordListOf,
  recordOrder,
  recordSlice,
} from '../tables/record-list.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { judgeWaiting } from './judge-waiting.ts'

const select = sql`
  select t.id, t.name, t.weight, t.server, t.datastore, t.namespace, t.backup_type, t.backup_id, t.tag, t.hours, t.comment,
    t.created, t.last_updated
  from objectives t`

const objectiveList = recordListOf(objectiveFields, {
  columns: {
    id: sql`t.id`,
    name: sql`t.name`,
    weight: sql`t.weight`,
    server: sql`t.server`,
    datastore: sql`t.datastore`,
    namespace: sql`t.namespace`,
    backup_type: sql`t.backup_type`,
    backup_id: sql`t.backup_id`,
    tag: sql`t.tag`,
    hours: sql`t.hours`,
    comment: sql`t.comment`,
    created: sql`t.created`,
    last_updated: sql`t.last_updated`,
  },
  order: sql`t.weight, t.id`,
  id: sql`t.id`,
})

/** The rules about how old the newest backup of groups may be. */
export const objectivesLayer: Layer.Layer<Objectives, never, Database> = Layer.effect(
  Objectives,
  Effect.map(Database, (database) =>
    Objectives.of({
      list: Effect.fn('Objectives.list')((request) =>
        database.query('reading the objectives', async (db) => {
          const { where = [], order: terms = [], search } = request
          const searched =
            search === undefined ? sql`true` : await anyContains(db, [sql`t.name`, sql`t.comment`], search)
          const which = sql`${await recordCondition(db, objectiveList, where)} and ${searched}`
          const slice = recordSlice(request, { id: objectiveList.id, order: recordOrder(objectiveList, terms) })
          const count = await recordCount(db, slice, sql`from objectives t where ${which}`)
          const { rows } = await sql<StoredObjectiveRule>`
            ${select} where ${which} and ${slice.begin} order by ${slice.order} ${slice.limit}`.execute(db)
          return { count, rows }
        }),
      ),
      get: Effect.fn('Objectives.get')(({ id }) =>
        database.query('reading an objective', async (db) => Option.fromNullable(await ruleOf(db, id))),
      ),
      create: Effect.fn('Objectives.create')(({ values, actor }) =>
        database.transaction('making an objective', async (trx) => {
          await lockRules(trx)
          const { rows } = await sql<{ rules: number }>`select count(*) as rules from objectives`.execute(trx)
          if ((rows[0]?.rules ?? 0) >= mostObjectiveRules) return new TooManyObjectives({ most: mostObjectiveRules })
          const id = await orNameTaken(values.name, async () => {
            const { rows: made } = await sql<{ id: number }>`
              insert into objectives (name, weight, server, datastore, namespace, backup_type, backup_id, tag, hours, comment)
              values (${values.name}, ${values.weight}::bigint, ${values.server}, ${values.datastore}, ${values.namespace},
                ${values.backup_type}, ${values.backup_id}, ${values.tag}, ${values.hours}::bigint, ${values.comment})
              returning id`.execute(trx)
            return made[0]?.id ?? 0
          })
          if (id instanceof Error) return id
          const made = await ruleOf(trx, id)
          if (made === undefined) throw new Error('an inserted objective was not returned')
          await logOther(trx, { ...about(made), action: 'create', before: null, after: logged(made), by: actor })
          return made
        }),
      ),
      update: Effect.fn('Objectives.update')(({ id, change, actor, versions }) =>
        database.transaction('changing an objective', async (trx) => {
          await lockRules(trx)
          const before = await ruleOf(trx, id)
          if (before === undefined) return Option.none()
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          const values: ObjectiveRuleValues = { ...before, ...change }
          const written = await orNameTaken(values.name, () =>
            sql`
              update objectives set name = ${values.name}, weight = ${values.weight}::bigint, server = ${values.server},
                datastore = ${values.datastore}, namespace = ${values.namespace}, backup_type = ${values.backup_type},
                backup_id = ${values.backup_id}, tag = ${values.tag}, hours = ${values.hours}::bigint,
                comment = ${values.comment}, last_updated = ${nextVersion(sql`last_updated`)}
              where id = ${id}::bigint`.execute(trx),
          )
          if (written instanceof Error) return written
          const after = await ruleOf(trx, id)
          if (after === undefined) throw new Error('an updated objective was not returned')
          const changed = differing(logged(before), logged(after))
          if (changed !== null) await logOther(trx, { ...about(after), action: 'update', ...changed, by: actor })
          return Option.some(after)
        }),
      ),
      judge: () => judgeWaiting(database),
      remove: Effect.fn('Objectives.remove')(({ id, actor, versions }) =>
        database.transaction('removing an objective', async (trx) => {
          await lockRules(trx)
          const before = await ruleOf(trx, id)
          if (before === undefined) return false
          const outdated = versionChanged(before.last_updated, versions)
          if (outdated !== null) return outdated
          await sql`delete from objectives where id = ${id}::bigint`.execute(trx)
          await logOther(trx, { ...about(before), action: 'delete', before: logged(before), after: null, by: actor })
          return true
        }),
      ),
    }),
  ),
)

/** Lets one transaction at a time write rules; others still read them. */
const lockRules = (trx: Kysely<Tables>) => sql`lock table objectives in share row exclusive mode`.execute(trx)

async function ruleOf(db: Kysely<Tables>, id: number): Promise<StoredObjectiveRule | undefined> {
  const { rows } = await sql<StoredObjectiveRule>`${select} where t.id = ${id}::bigint`.execute(db)
  return rows[0]
}

async function orNameTaken<A>(name: string, write: () => Promise<A>): Promise<A | ObjectiveNameTaken> {
  try {
    return await write()
  } catch (cause) {
    if (isUniqueViolation(cause)) return new ObjectiveNameTaken({ name })
    throw cause
  }
}

const about = ({ id, name }: StoredObjectiveRule) => ({ model: 'objective', id, title: name }) as const

const logged = ({ id: _, created: __, last_updated: ___, ...values }: StoredObjectiveRule): LoggedValues => ({
  ...values,
})
