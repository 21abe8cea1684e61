/** The release of this application. */
export const version = '0.1.0'

/** The NetBox whose REST conventions these are. */
export const netboxVersion = '4.7.3'

/** What `API-Version` says: major and minor of that NetBox. */
export const apiVersion = '4.7'
