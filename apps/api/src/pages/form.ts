import { Effect } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { readBytes } from '../rest/read-body.ts'
import { bodyTooLarge } from './error-pages.tsx'
import { html } from './html.ts'
import type { Page } from './serve-page.tsx'

/** The fields of a sent form. Of a field that comes twice the last one counts. */
export type Form = Readonly<Record<string, string>>

/** The largest form. */
const maxFormBytes = 64 * 1024

/** Edits a form as browsers send ours to a page; any other body is a form without fields, and one that is too large is a page that says so. */
export const withForm = (c: ApiContext, page: (form: Form) => Page): Page =>
  Effect.gen(function* () {
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/x-www-form-urlencoded') return {}
    const bytes = yield* readBytes(c, maxFormBytes)
    return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)))
  }).pipe(
    Effect.matchEffect({
      onFailure: () => Effect.succeed(html(bodyTooLarge(maxFormBytes), 413)),
      onSuccess: page,
    }),
  )
