import { Objectives, type TooManyObjectives } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  ObjectiveRequest,
  objectiveBody,
  objectiveDefaults,
  objectiveFilter,
  servedObjective,
} from '../records/objective.ts'
import { actorSaying } from '../rest/caller.ts'
import { expectedVersions } from '../rest/etag.ts'
import { invalid } from '../rest/http-error.ts'
import { objectivesPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { describeFields } from '../validation/describe-fields.ts'
import { readRecord } from '../validation/read-record.ts'
import type { WriteMode } from '../validation/validate-item.ts'
import { recordList } from './record-list.ts'
import { recordPaths } from './record-paths.ts'
import { definedOnly } from './webhook-paths.ts'

const tags = ['plugins']

/** Rules about how old the newest backup of groups may be. */
export const objectivePaths: ReadonlyArray<Path> = recordPaths({
  path: objectivesPath,
  tags,
  operation: 'plugins_pbs_objectives',
  noun: 'an objective',
  label: 'Objective',
  schema: 'Objective',
  list: recordList({
    path: objectivesPath,
    operationId: 'plugins_pbs_objectives_list',
    tags,
    description: 'The rules about how old the newest backup of groups may be, in the order in which they apply',
    schema: 'ObjectiveList',
    filter: objectiveFilter,
    read: (request) => Effect.flatMap(Objectives, (objectives) => objectives.list(request)),
    cursor: { idOf: ({ id }) => id, ordered: false },
    serve: (rule, base) => servedObjective(base, rule),
  }),
  describe: () => describeFields(ObjectiveRequest, objectiveBody.required),
  get: (id) => Effect.flatMap(Objectives, (objectives) => objectives.get({ id })),
  create: (c, body) =>
    Effect.gen(function* () {
      const { values: given, message } = yield* read(body, 'whole')
      const { name = '', hours = null, ...others } = given
      const objectives = yield* Objectives
      return yield* objectives
        .create({
          values: { ...objectiveDefaults, ...definedOnly(others), name, hours },
          actor: actorSaying(c, message),
        })
        .pipe(
          Effect.tap(judgeNow),
          Effect.catchTags({ ObjectiveNameTaken: () => nameTaken, TooManyObjectives: tooMany }),
        )
    }),
  update: (c, { before: { id }, body, mode }) =>
    Effect.gen(function* () {
      const { values, message } = yield* read(body, mode)
      const objectives = yield* Objectives
      return yield* objectives
        .update({ id, change: definedOnly(values), actor: actorSaying(c, message), versions: expectedVersions(c) })
        .pipe(
          Effect.tap(judgeNow),
          Effect.catchTag('ObjectiveNameTaken', () => nameTaken),
        )
    }),
  remove: (c, { before: { id }, message }) =>
    Effect.flatMap(Objectives, (objectives) =>
      objectives
        .remove({ id, actor: actorSaying(c, message), versions: expectedVersions(c) })
        .pipe(Effect.tap(judgeNow)),
    ),
  serve: (rule, base) => servedObjective(base, rule),
})

/**
 * Judges groups by the rules as they are now, for as long as a request may take. The others are unknown until
 * a worker has judged them.
 */
const judgeNow = Effect.flatMap(Objectives, (objectives) => objectives.judge()).pipe(
  Effect.timeout('2 seconds'),
  Effect.ignore,
)

const read = (body: unknown, mode: WriteMode) => {
  const given = readRecord(objectiveBody, body, mode)
  return given._tag === 'rejected' ? Effect.fail(invalid(given.errors)) : Effect.succeed(given)
}

const nameTaken = Effect.fail(invalid({ name: ['objective with this name already exists.'] }))

const tooMany = ({ most }: TooManyObjectives) =>
  Effect.fail(invalid({ __all__: [`There are ${most} objectives, as many as there may be: delete one first.`] }))
