import {
  choiceFor,
  type Field,
  type FieldErrors,
  type FieldValue,
  fieldsOfClass,
  type ModelName,
  registry,
  sameValue,
} from '@netbox-pbs/core'
import type { EditValues } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { badRequest, type HttpError } from '../rest/http-error.ts'
import type { Row } from '../rest/row.ts'
import { connectionOf, hasSecret } from '../servers/read-secret.ts'

const noSecret = 'A connection to a server is not branched: send its secret in main.'
const noEndpoint = 'This server is connected, and its endpoint at the gateway is not branched: change this in main.'
const noObservation = 'Observations are not branched: leave this field out, or write it in main.'

/**
 * Errors of fields in a body that cannot be written in a branch. `row`: the one to be changed;
 * null: a creation, which has its first observations.
 */
export function branchErrors(
  model: ModelName,
  { row, input, values }: { readonly row: Row | null; readonly input: unknown; readonly values: EditValues },
): FieldErrors {
  const moved = (names: ReadonlyArray<string>, sentence: string) =>
    row === null
      ? []
      : names.filter((name) => name in values && !isValue(model, name, row, values)).map((name) => [name, [sentence]])
  return Object.fromEntries([
    ...moved(fieldsOfClass(model, 'observation'), noObservation),
    ...(row !== null && isConnected(model, row) ? moved(Object.keys(connectionOf(values)), noEndpoint) : []),
    ...(model === 'server' && hasSecret(input) ? [['token_secret', [noSecret]]] : []),
  ])
}

/** The values of a change that a branch takes: observations that are as they were are left out. */
export function branchValues(model: ModelName, values: EditValues): EditValues {
  const observed = fieldsOfClass(model, 'observation')
  return Object.fromEntries(Object.entries(values).filter(([name]) => !observed.includes(name)))
}

/** 400 for a row that can only be deleted in main. */
export const deletableInBranch = (model: ModelName, row: Row): Effect.Effect<void, HttpError> =>
  isConnected(model, row)
    ? badRequest(
        `Server ${row.serverName} is connected, and its endpoint at the gateway is not branched: delete it in main.`,
      )
    : Effect.void

const isConnected = (model: ModelName, row: Row): boolean => model === 'server' && row['endpoint_state'] !== 'none'

/** Whether a row has a value already, as REST reads it: an unknown choice of the source is `unknown`. */
function isValue(model: ModelName, name: string, row: Row, values: EditValues): boolean {
  const fields: Readonly<Record<string, Field>> = registry[model].fields
  const field = fields[name]
  const stored = (row[name] ?? null) as FieldValue // border: a row's columns are typed by the registry
  const read = field?.type === 'choice' && typeof stored === 'string' ? choiceFor(field.choices, stored).value : stored
  return sameValue(values[name] ?? null, read)
}
