import manifest from '../package.json' with { type: 'json' }

/** The release of this application. */
export const version: string = manifest.version

/** The NetBox whose REST conventions these are. */
export const netboxVersion = '4.7.3'

/** What `API-Version` says: major and minor of that NetBox. */
export const apiVersion = '4.7'
