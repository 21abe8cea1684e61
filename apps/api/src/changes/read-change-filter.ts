import {
  type ChangeFilter,
  changeActions,
  type FieldErrors,
  modelNames,
  parseDatetime,
  registry,
} from '@netbox-pbs/core'
import { Effect } from 'effect'
import { invalid, type Refused } from '../http/refused.ts'

/** NetBox's names of the models. */
export const objectTypes: ReadonlyArray<string> = modelNames.map((model) => registry[model].objectType)

type Read<A> = { readonly value?: A; readonly wrong?: string }

/** Values of one parameter that are accepted: more would make a statement without bound. */
const maxValues = 1000

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Reads the filters of the change log from a query, 400 with NetBox's sentences. A blank value is none; of moments the last one counts. */
export function readChangeFilter(params: URLSearchParams): Effect.Effect<ChangeFilter, Refused> {
  const given = (name: string) => params.getAll(name).filter((text) => text !== '')
  const read = {
    actions: choices(given('action'), changeActions, (action) => action),
    models: choices(given('changed_object_type'), modelNames, (model) => registry[model].objectType),
    objectIds: numbers(given('changed_object_id')),
    users: texts(given('user_name')),
    requestIds: uuids(given('request_id')),
    runIds: numbers(given('run')),
    after: moment(given('time_after')),
    before: moment(given('time_before')),
  }
  const errors: FieldErrors = Object.fromEntries(
    Object.entries(parameters).flatMap(([name, parameter]) => {
      if (given(parameter).length > maxValues) return [[parameter, [`At most ${maxValues} values can be given.`]]]
      const { wrong } = read[name as keyof typeof read] // border: entries forget the names
      return wrong === undefined ? [] : [[parameter, [wrong]]]
    }),
  )
  if (Object.keys(errors).length > 0) return Effect.fail(invalid(errors))
  const { actions, models, objectIds, users, requestIds, runIds, after, before } = read
  return Effect.succeed({
    ...(actions.value && { actions: actions.value }),
    ...(models.value && { models: models.value }),
    ...(objectIds.value && { objectIds: objectIds.value }),
    ...(users.value && { users: users.value }),
    ...(requestIds.value && { requestIds: requestIds.value }),
    ...(runIds.value && { runIds: runIds.value }),
    ...(after.value !== undefined && { after: after.value }),
    ...(before.value !== undefined && { before: before.value }),
  })
}

const parameters = {
  actions: 'action',
  models: 'changed_object_type',
  objectIds: 'changed_object_id',
  users: 'user_name',
  requestIds: 'request_id',
  runIds: 'run',
  after: 'time_after',
  before: 'time_before',
} as const satisfies Record<keyof ChangeFilter, string>

function choices<A extends string>(
  given: ReadonlyArray<string>,
  all: ReadonlyArray<A>,
  nameOf: (choice: A) => string,
): Read<ReadonlyArray<A>> {
  const unknown = given.find((text) => !all.some((choice) => nameOf(choice) === text))
  if (unknown !== undefined) {
    return { wrong: `Select a valid choice. ${unknown} is not one of the available choices.` }
  }
  return given.length === 0 ? {} : { value: all.filter((choice) => given.includes(nameOf(choice))) }
}

function numbers(given: ReadonlyArray<string>): Read<ReadonlyArray<number>> {
  if (!given.every((text) => /^\s*[+-]?\d+\s*$/.test(text))) return { wrong: 'Enter a whole number.' }
  // A number beyond what an id can be is no row's.
  return given.length === 0 ? {} : { value: given.map(Number).filter(Number.isSafeInteger) }
}

function texts(given: ReadonlyArray<string>): Read<ReadonlyArray<string>> {
  if (given.some((text) => text.includes('\0'))) return { wrong: 'Null characters are not allowed.' }
  return given.length === 0 ? {} : { value: given }
}

function uuids(given: ReadonlyArray<string>): Read<ReadonlyArray<string>> {
  if (!given.every((text) => uuid.test(text))) return { wrong: 'Enter a valid UUID.' }
  return given.length === 0 ? {} : { value: given }
}

function moment(given: ReadonlyArray<string>): Read<string> {
  const last = given.at(-1)
  if (last === undefined) return {}
  const value = parseDatetime(last)
  return value === null ? { wrong: 'Enter a valid date/time.' } : { value }
}
