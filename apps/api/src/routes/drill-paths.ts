import { Drills } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { knownServers } from '../inventory/find-row.ts'
import { DrillRequest, drillBody, drillDefaults, drillFilter, servedDrill } from '../records/drill.ts'
import { actorSaying } from '../rest/caller.ts'
import { expectedVersions } from '../rest/etag.ts'
import { invalid } from '../rest/http-error.ts'
import { drillsPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { describeFields } from '../validation/describe-fields.ts'
import { readRecord } from '../validation/read-record.ts'
import type { WriteMode } from '../validation/validate-item.ts'
import { recordList } from './record-list.ts'
import { recordPaths } from './record-paths.ts'
import { definedOnly } from './webhook-paths.ts'

const tags = ['plugins']

/** The ledger of restores: users record them, and confirm or dismiss those that tasks propose. */
export const drillPaths: ReadonlyArray<Path> = recordPaths({
  path: drillsPath,
  tags,
  operation: 'plugins_pbs_drills',
  noun: 'a drill',
  label: 'Drill',
  schema: 'Drill',
  writers: 'operator',
  byServer: true,
  list: recordList({
    path: drillsPath,
    operationId: 'plugins_pbs_drills_list',
    tags,
    description: 'What was restored, by whom, and whether it worked; the newest first',
    schema: 'DrillList',
    filter: drillFilter,
    brief: ['state', 'outcome', 'started'],
    references: (_, named) => knownServers(named),
    read: (request) => Effect.flatMap(Drills, (drills) => drills.list(request)),
    cursor: { idOf: ({ id }) => id, ordered: false },
    serve: (drill, base) => servedDrill(base, drill),
  }),
  describe: () => describeFields(DrillRequest, drillBody.required),
  get: (id) => Effect.flatMap(Drills, (drills) => drills.get({ id })),
  create: (c, body) =>
    Effect.gen(function* () {
      const { values: given, message } = yield* read(body, 'whole')
      const actor = actorSaying(c, message)
      const { server = 0, datastore_name = '', backup_type = '', backup_id = '', started = '', ...others } = given
      const serverId = yield* serverOf(server)
      const key = { datastore_name, backup_type, backup_id, started }
      const about = { outcome: 'unknown', performed_by: actor.user } as const
      const values = { ...drillDefaults, ...about, ...definedOnly(others), ...key }
      const made = yield* (yield* Drills).create({ serverId, values, actor })
      return Option.isSome(made) ? made.value : yield* noServer(server)
    }),
  update: (c, { before: { id, server: own }, body, mode }) =>
    Effect.gen(function* () {
      const { values, message } = yield* read(body, mode)
      const { server, ...change } = values
      if (server !== undefined && (yield* serverOf(server)) !== own.id) return yield* staysOn(own.name)
      const drills = yield* Drills
      const actor = actorSaying(c, message)
      return yield* drills.update({ id, change: definedOnly(change), actor, versions: expectedVersions(c) })
    }),
  remove: (c, { before: { id }, message }) =>
    Effect.flatMap(Drills, (drills) =>
      drills.remove({ id, actor: actorSaying(c, message), versions: expectedVersions(c) }),
    ),
  serve: (drill, base) => servedDrill(base, drill),
})

const read = (body: unknown, mode: WriteMode) => {
  const given = readRecord(drillBody, body, mode)
  return given._tag === 'rejected' ? Effect.fail(invalid(given.errors)) : Effect.succeed(given)
}

/** The id of a server by its name or its id. */
const serverOf = (given: string | number) =>
  Effect.gen(function* () {
    if (typeof given === 'number') return given
    const { idsByName } = yield* knownServers({ names: [given], ids: [] })
    return idsByName.get(given) ?? (yield* noServer(given))
  })

const staysOn = (name: string) =>
  Effect.fail(invalid({ server: [`A drill stays on its server, ${name}: record another one.`] }))

const noServer = (given: string | number) =>
  Effect.fail(invalid({ server: [`No server has the ${typeof given === 'number' ? 'id' : 'name'} ${given}.`] }))
