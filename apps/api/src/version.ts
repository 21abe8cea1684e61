import manifest from '../package.json' with { type: 'json' }

/** The release of this application. */
export const version: string = manifest.version

/** The NetBox whose REST conventions these are. */
export const netboxVersion = '4.7.3'

/** The `API-Version` header: major and minor of the NetBox release that the API follows. */
export const apiVersion = '4.7'
