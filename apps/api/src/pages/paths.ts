import { type ModelName, registry } from '@netbox-pbs/core'
import { pageUrl } from '../inventory/links.ts'

/** The first page; every other page lies below it. */
export const home = '/plugins/pbs/'

/** Where to sign in. */
export const signInPage = `${home}login/`

/** Where a form signs out. */
export const signOutPage = `${home}logout/`

/** The runs; a form sent there starts one. */
export const runsPage = `${home}sync-runs/`

/** The deletions that wait for a decision. */
export const heldPage = `${home}held/`

/** Where a form lets a held set go. */
export const confirmHeldPage = (id: number): string => `${heldPage}${id}/confirm/`

/** Where a form keeps a held set. */
export const dismissHeldPage = (id: number): string => `${heldPage}${id}/dismiss/`

/** The form that adds a server. */
export const addServerPage = `${home}${registry.server.path}/add/`

/** The list of a model. */
export const listPage = (model: ModelName): string => `${home}${registry[model].path}/`

/** A row. */
export const rowPage = (model: ModelName, id: number): string => pageUrl('', model, id)

/** A form sent there pins another certificate of a server. */
export const pinPage = (id: number): string => `${rowPage('server', id)}pin/`

/** A run. */
export const runPage = (id: number): string => `${runsPage}${id}/`

/** A path of our own pages, also when `next` names any other place: a sign-in never sends anybody elsewhere. */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !next.startsWith(home) || !URL.canParse(next, 'http://pages.invalid')) return home
  const { host, pathname, search } = new URL(next, 'http://pages.invalid')
  return host === 'pages.invalid' && pathname.startsWith(home) ? `${pathname}${search}` : home
}
