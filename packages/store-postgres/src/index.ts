export { Database, type Driver } from './database/database.ts'
export { DatabaseUnusable, DataFolderInUse, DataFolderUnusable } from './database/errors.ts'
export { migrate } from './migrations/migrate.ts'
export { DatabaseTooNew } from './migrations/run-migrations.ts'
