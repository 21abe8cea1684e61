import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import type { ApiContext } from '../http/caller.ts'
import type { ApiServices } from '../services.ts'
import { isOwnForm, type Visitor, visitorOf } from './session.ts'

type PageEffect<E> = Effect.Effect<Response, E, ApiServices>

/** Where to sign in, to come back to the page asked for. */
const signInPath = (c: ApiContext): string => {
  const url = new URL(c.req.url)
  return `/plugins/pbs/login/?${new URLSearchParams({ next: `${url.pathname}${url.search}` })}`
}

/** A page for signed-in visitors; others are sent to sign in first. */
export const forVisitor =
  <E>(page: (visitor: Visitor) => PageEffect<E>) =>
  (c: ApiContext): PageEffect<E | StoreFailed> =>
    visitorOf(c).pipe(
      Effect.flatMap(
        Option.match({
          onNone: (): PageEffect<E | StoreFailed> => Effect.succeed(c.redirect(signInPath(c), 303)),
          onSome: page,
        }),
      ),
    )

/** A form sent by a signed-in visitor who may write, from a page of ours. */
export const forForm =
  <E>(handle: (visitor: Visitor, form: Readonly<Record<string, string>>) => PageEffect<E>) =>
  (c: ApiContext): PageEffect<E | StoreFailed> =>
    forVisitor((visitor) =>
      Effect.promise(() => c.req.parseBody()).pipe(
        Effect.flatMap((body): PageEffect<E> => {
          const form = Object.fromEntries(
            Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
          )
          if (!isOwnForm(c, visitor, form['form_token']))
            return Effect.succeed(
              c.text('This form was not sent from a page of yours. Load the page again and retry.', 403),
            )
          if (!visitor.viewer.writes) return Effect.succeed(c.text('Your token may read only.', 403))
          return handle(visitor, form)
        }),
      ),
    )(c)
