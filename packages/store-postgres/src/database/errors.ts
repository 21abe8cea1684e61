import { join } from 'node:path'
import { Data } from 'effect'

/** The oldest server version with the features of the statements, as `server_version_num`. */
export const oldestServer = 140_000

/** There is no database to work with. `where` names it without its password. */
export class DatabaseUnusable extends Data.TaggedError('DatabaseUnusable')<{
  readonly reason: 'unreachable' | 'refused' | 'too_old' | 'not_utf8' | 'bad_url'
  readonly where: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return {
      unreachable: `PostgreSQL at ${this.where} cannot be reached: check that it runs and that the address is right`,
      refused: `PostgreSQL at ${this.where} refused: check the user, its password, its rights and the name of the database`,
      too_old: `PostgreSQL at ${this.where} is older than 14: upgrade it`,
      not_utf8: `the database ${this.where} is not encoded in UTF8: make one with encoding UTF8`,
      bad_url: `the database address is not a URL like postgres://user@host:5432/name: correct DATABASE_URL`,
    }[this.reason]
  }
}

/** Another process has the data folder open. */
export class DataFolderInUse extends Data.TaggedError('DataFolderInUse')<{
  readonly folder: string
  readonly pid: number
}> {
  override get message(): string {
    return `the data folder ${this.folder} is in use by process ${this.pid}: only one process at a time may open it; stop that one, or use PostgreSQL`
  }
}

/**
 * The embedded database could not be opened in its folder: the file system refuses, there are files but no whole
 * database, or the engine does not start with what is there.
 */
export class DataFolderUnusable extends Data.TaggedError('DataFolderUnusable')<{
  readonly folder: string
  readonly reason: 'files' | 'no_database' | 'engine'
  readonly cause?: unknown
}> {
  override get message(): string {
    const database = join(this.folder, 'database')
    const ofAnother = this.cause instanceof Error && 'code' in this.cause && this.cause.code === 'EPERM'
    return {
      no_database: `${database} holds files but no whole database: if its first start was cut short, remove that folder; else name another --data-dir or restore a backup`,
      engine: `the database in ${database} does not start: it is damaged, of another PostgreSQL, or its disk is full; free space, or restore a backup`,
      files: ofAnother
        ? `the data folder ${this.folder} is open to other users and belongs to one of them: make it your own, with mode 0700`
        : `the data folder ${this.folder} cannot be opened: check that it exists, may be written and is not on a full disk`,
    }[this.reason]
  }
}

/** The embedded database could not be copied to a folder. */
export class DatabaseNotCopied extends Data.TaggedError('DatabaseNotCopied')<{
  readonly folder: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `the database cannot be copied to ${this.folder}: check that its disk has as much free space as the database takes`
  }
}
