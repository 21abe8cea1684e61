import { Context, Data, type Effect } from 'effect'
import type { StoreFailed } from './store-failed.ts'
import type { LastAdmin, NewUser, User, UsernameTaken } from './users.ts'

/** How a provider of OpenID Connect, or a NetBox, knows a person: the subject is unique within the issuer and never changes. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

/** A person as the provider describes them now. */
export interface IdentifiedUser extends Pick<NewUser, 'username' | 'first_name' | 'last_name' | 'email' | 'role'> {
  readonly identity: Identity
  /** The request of the sign-in, for the change log. */
  readonly requestId: string
}

/** The user of an identity may not sign in here. */
export class UserNotActive extends Data.TaggedError('UserNotActive')<{ readonly username: string }> {
  override get message(): string {
    return `the user ${this.username} is not active here`
  }
}

/** The identities of users at providers of OpenID Connect, and in a NetBox. */
export class Identities extends Context.Tag('@netbox-pbs/core/Identities')<
  Identities,
  {
    /**
     * The user of an identity, for a sign-in, which is noted.
     *
     * - A new identity makes a user; a name that another user has is refused, so that a name
     *   at the provider gives no access to that user.
     * - Names, address and role follow the provider; the username and the servers stay. A user who is
     *   limited to servers becomes operator at most.
     */
    readonly signIn: (
      person: IdentifiedUser,
    ) => Effect.Effect<User, StoreFailed | UsernameTaken | UserNotActive | LastAdmin>
    /**
     * The same for a request with a token of the provider, which is no sign-in and is not noted. Nothing is
     * written while the provider says what it said before.
     */
    readonly follow: (
      person: IdentifiedUser,
    ) => Effect.Effect<User, StoreFailed | UsernameTaken | UserNotActive | LastAdmin>
  }
>() {}
