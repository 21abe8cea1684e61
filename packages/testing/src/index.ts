export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts'
export { postgresUrl, type Template } from './postgres-url.ts'
