/** The embedded database, a folder. */
export const databaseName = 'database'

/** The files of the keys. */
export const keyFiles = {
  secretKey: 'secret.key',
  gatewaySecretKey: 'gateway-secret.key',
  gatewayKey: 'gateway-api.key',
} as const

/** What a backup holds of a data folder, apart from the database: the rest is of the process that runs on it. */
export const keptFiles: ReadonlyArray<string> = [...Object.values(keyFiles), 'token', 'demo.json']
