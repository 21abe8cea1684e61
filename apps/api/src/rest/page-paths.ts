import { type Branch, type ModelName, registry } from '@netbox-pbs/core'
import { branchParameter } from './branch-place.ts'
import { pageUrl } from './links.ts'

/** The first page; it is the root of all pages. */
export const home = '/plugins/pbs/'

/** REST in pages, at NetBox's address of its viewer. */
export const referencePage = '/api/schema/swagger-ui/'

/** The page of an operation of REST. */
export const operationPage = (operationId: string): string => `${referencePage}operations/${operationId}/`

/** The page of a schema of REST. */
export const schemaPage = (name: string): string => `${referencePage}schemas/${name}/`

/** Where to sign in. */
export const signInPage = `${home}login/`

/** Where a sign-in with a provider of OpenID Connect begins; the way back is below it. */
export const openIdPage = `${signInPage}openid/`

/** Where a form signs out. */
export const signOutPage = `${home}logout/`

/** The runs; a form sent there starts one. */
export const runsPage = `${home}sync-runs/`

/** The settings. */
export const settingsPage = `${home}settings/`

/** The held deletions. */
export const heldPage = `${home}held/`

/** Where a form confirms held deletions. */
export const confirmHeldPage = (id: number): string => `${heldPage}${id}/confirm/`

/** Where a form dismisses held deletions. */
export const dismissHeldPage = (id: number): string => `${heldPage}${id}/dismiss/`

/** The branches. */
export const branchesPage = `${home}branches/`

/** The form that opens a branch. */
export const addBranchPage = `${branchesPage}add/`

/** A branch; its forms are sent to paths below it. */
export const branchPage = (id: number): string => `${branchesPage}${id}/`

/** The form that adds a server. */
export const addServerPage = `${home}${registry.server.path}/add/`

/** The branch that a link leads into, or stays in; null: main. */
type InBranch = Pick<Branch, 'schema_id'> | null

/** A path of the inventory, in a branch. */
const inBranchPath = (path: string, branch: InBranch): string =>
  branch === null ? path : `${path}?${branchParameter}=${branch.schema_id}`

/** The list of a model. */
export const listPage = (model: ModelName, branch: InBranch = null): string =>
  inBranchPath(`${home}${registry[model].path}/`, branch)

/** A row. */
export const rowPage = (model: ModelName, id: number, branch: InBranch = null): string =>
  inBranchPath(pageUrl('', model, id), branch)

/** Where a form sends a new certificate to pin for a server. */
export const pinPage = (id: number): string => `${rowPage('server', id)}pin/`

/** A run. */
export const runPage = (id: number): string => `${runsPage}${id}/`

/** The path in `next` if it is one of our pages, else the first page, so a sign-in never redirects to another site. */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !next.startsWith(home) || !URL.canParse(next, 'http://pages.invalid')) return home
  const { host, pathname, search } = new URL(next, 'http://pages.invalid')
  return host === 'pages.invalid' && pathname.startsWith(home) ? `${pathname}${search}` : home
}
