import { Effect } from 'effect'
import { bodyLimit } from 'hono/body-limit'
import type { ApiContext } from '../http/caller.ts'
import { html } from './html.ts'
import { bodyTooLarge } from './refusals.tsx'

/** The fields of a sent form. Of a field that comes twice the last one counts. */
export type Form = Readonly<Record<string, string>>

/** The largest form. */
const maxFormBytes = 64 * 1024

/** Refuses bodies beyond what a form of ours can be, without reading them. */
export const formLimit = bodyLimit({ maxSize: maxFormBytes, onError: () => html(bodyTooLarge(maxFormBytes), 413) })

/** Reads a form as browsers send ours; any other body is a form without fields. */
export const readForm = (c: ApiContext): Effect.Effect<Form> =>
  Effect.promise(async () => {
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/x-www-form-urlencoded') return {}
    return Object.fromEntries(new URLSearchParams(await c.req.text()))
  })
