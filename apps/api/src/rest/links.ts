import { apiRoot } from '@netbox-pbs/core'
import type { ApiContext } from './caller.ts'

export { apiRoot, definitionPage, definitionsPath, definitionUrl, listPath, pageUrl, rowUrl } from '@netbox-pbs/core'

/** Path of the list of runs in REST. */
export const runsPath = `${apiRoot}sync-runs/`

/** Address of a run in REST. */
export const runUrl = (base: string, id: number): string => `${base}${runsPath}${id}/`

/** Path of the backups of nights in REST. */
export const nightsPath = `${apiRoot}insights/nights/`

/** Path of the list of keys of clients in REST. */
export const keysPath = `${apiRoot}keys/`
/** Path of the ledger of restores in REST. */
export const drillsPath = `${apiRoot}drills/`

/** Path of the list of findings in REST. */
export const findingsPath = `${apiRoot}findings/`

/** Path of the list of branches in REST. */
export const branchesPath = `${apiRoot}branches/`

/** Address of a branch in REST. */
export const branchUrl = (base: string, id: number): string => `${base}${branchesPath}${id}/`

/** Path of the change log in REST. */
export const changesPath = `${apiRoot}changes/`

/** Scheme, host and prefix as the client saw them, without a trailing slash: the start of every link. */
export function baseUrl(c: ApiContext): string {
  const { scheme, host, prefix } = c.get('client')
  return `${scheme}://${host}${prefix}`
}

/** Path of the list of API tokens in REST. */
export const tokensPath = '/api/users/tokens/'

/** Path of the list of users in REST. */
export const usersPath = '/api/users/users/'

/** A user in brief form, as other objects show theirs. */
export const userAddress = (base: string, { id, username }: { readonly id: number; readonly username: string }) => ({
  id,
  url: `${base}${usersPath}${id}/`,
  display: username,
  username,
})

/** Path of the list of webhooks, NetBox's own. */
export const webhooksPath = '/api/extras/webhooks/'

/** Path of the list of event rules, NetBox's own. */
export const eventRulesPath = '/api/extras/event-rules/'

/** Path of the list of breaches in REST. */
export const breachesPath = `${apiRoot}breaches/`

/** Path of the list of rules about objectives in REST. */
export const objectivesPath = `${apiRoot}objectives/`

/** Path of the list of guests in REST. */
export const guestsPath = `${apiRoot}guests/`

/** Path of the list of deliveries in REST. */
export const deliveriesPath = `${apiRoot}deliveries/`
