import type { Actor, ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'

/** The message of one object of a request; empty: none. */
export interface ObjectMessage {
  readonly id: number
  readonly message: string
}

/** The messages of a request's objects; those without one of their own have the actor's. */
export const messagesOf = (
  rows: ReadonlyArray<{ readonly id: number; readonly message?: string | undefined }>,
  { message: common = '' }: Actor,
): ReadonlyArray<ObjectMessage> =>
  rows.map(({ id, message = common }) => ({ id, message })).filter(({ message }) => message !== '')

/**
 * Writes messages into the entries that a request has logged about the objects it names. Call this
 * last in its transaction, when entries of one object have become one.
 */
export async function logMessages(
  db: Kysely<Tables>,
  {
    model,
    actor,
    messages,
  }: { readonly model: ModelName; readonly actor: Actor; readonly messages: ReadonlyArray<ObjectMessage> },
): Promise<void> {
  if (messages.length === 0) return
  await sql`
    update changes c set message = r.message from jsonb_to_recordset(${jsonb(messages)}) as r (id bigint, message text)
    where c.request_id = ${actor.requestId}::uuid and c.model = ${model} and c.object_id = r.id`.execute(db)
}
