import { Context, Data, type Effect, type Option } from 'effect'
import type { Role } from '../access.ts'
import type { Actor } from '../change-log.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** What a user may do, and where. */
export interface UserRights {
  readonly role: Role
  /** Ids of the servers that the user sees; null: all of them. An admin sees all. */
  readonly servers: ReadonlyArray<number> | null
}

/** A user, without the password. */
export interface User extends UserRights {
  readonly id: number
  readonly username: string
  readonly first_name: string
  readonly last_name: string
  readonly email: string
  /** A user who is not active can neither sign in nor use a token. */
  readonly is_active: boolean
  /** RFC 3339. */
  readonly created: string
  /** The last login with the password; null: there was none. */
  readonly last_login: string | null
  /** Whether there is a password; without one the user has tokens only. */
  readonly has_password: boolean
}

/** A user to be stored. `passwordHash` is the text that the login verifies; null: no password. */
export interface NewUser extends Omit<User, 'id' | 'created' | 'last_login' | 'has_password'> {
  readonly passwordHash: string | null
}

/** Which users to list, by `userFields` and more; left out: all. */
export interface UserFilter extends RecordQuery {
  readonly ids?: ReadonlyArray<number>
  /** In the username, the names or the address, without regard to case. */
  readonly search?: string
}

/** Another user has that name, in any case of its letters. `at` is the place of the user in the request. */
export class UsernameTaken extends Data.TaggedError('UsernameTaken')<{
  readonly username: string
  readonly at: number
}> {
  override get message(): string {
    return `a user with the name ${this.username} already exists`
  }
}

/** Without this user the system would have no active admin. */
export class LastAdmin extends Data.TaggedError('LastAdmin') {
  override get message(): string {
    return 'this would leave no active admin: make another user an admin first'
  }
}

/** The users. */
export class Users extends Context.Tag('@netbox-pbs/core/Users')<
  Users,
  {
    /** By name, unless asked otherwise. */
    readonly list: (request: UserFilter & RecordPage) => Effect.Effect<ListedPage<User>, StoreFailed>
    /** A user by the exact name, with the hash of the password. */
    readonly byName: (request: {
      readonly username: string
    }) => Effect.Effect<Option.Option<User & { readonly passwordHash: string | null }>, StoreFailed>
    /** Creates users, all or none, in the order given. */
    readonly create: (request: {
      readonly users: ReadonlyArray<NewUser>
      readonly actor?: Actor
    }) => Effect.Effect<ReadonlyArray<User>, StoreFailed | UsernameTaken>
    /**
     * Changes users, all or none; ids without a user are left out. A new password, and a user who is no
     * longer active, end the user's sessions.
     */
    readonly update: (request: {
      readonly changes: ReadonlyArray<{ readonly id: number; readonly change: Partial<NewUser> }>
      readonly actor?: Actor
    }) => Effect.Effect<ReadonlyArray<User>, StoreFailed | UsernameTaken | LastAdmin>
    /** How many of the ids had a user. Their tokens and sessions go with them; what they wrote stays. */
    readonly remove: (request: {
      readonly ids: ReadonlyArray<number>
      readonly actor?: Actor
    }) => Effect.Effect<number, StoreFailed | LastAdmin>
    /** Notes a login with the password. */
    readonly loggedIn: (request: { readonly id: number }) => Effect.Effect<void, StoreFailed>
  }
>() {}
