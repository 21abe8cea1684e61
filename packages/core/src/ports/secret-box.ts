import { Context, Data, type Effect, type Redacted } from 'effect'

/** A stored secret cannot be read with the present key. */
export class SecretUnreadable extends Data.TaggedError('SecretUnreadable')<{ readonly keyName: string }> {
  override get message(): string {
    return `stored secrets cannot be read with this key: set ${this.keyName} to the key they were stored under`
  }
}

/**
 * Encrypts values that must be read back. AES-256-GCM with a fresh nonce; `purpose` is authenticated,
 * so that a ciphertext cannot be moved to another row.
 */
export class SecretBox extends Context.Tag('@netbox-pbs/core/SecretBox')<
  SecretBox,
  {
    readonly seal: (request: {
      readonly secret: Redacted.Redacted<string>
      readonly purpose: string
    }) => Effect.Effect<string>
    readonly open: (request: {
      readonly sealed: string
      readonly purpose: string
    }) => Effect.Effect<Redacted.Redacted<string>, SecretUnreadable>
  }
>() {}
