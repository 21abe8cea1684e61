import { type ModelName, registry } from '@netbox-pbs/core'

/** Where the inventory's REST endpoints lie. */
export const apiRoot = '/api/plugins/pbs/'

/** Path of a model's list in REST. */
export const listPath = (model: ModelName): string => `${apiRoot}${registry[model].path}/`

/** Address of a row in REST. */
export const rowUrl = (base: string, model: ModelName, id: number): string => `${base}${listPath(model)}${id}/`

/** Address of a row's page. */
export const pageUrl = (base: string, model: ModelName, id: number): string =>
  `${base}/plugins/pbs/${registry[model].path}/${id}/`

/** Path of the list of runs in REST. */
export const runsPath = `${apiRoot}sync-runs/`

/** Address of a run in REST. */
export const runUrl = (base: string, id: number): string => `${base}${runsPath}${id}/`

/** Path of the list of branches in REST. */
export const branchesPath = `${apiRoot}branches/`

/** Address of a branch in REST. */
export const branchUrl = (base: string, id: number): string => `${base}${branchesPath}${id}/`

/** Path of the change log in REST. */
export const changesPath = `${apiRoot}changes/`
