import { SourceFailed } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'

/** Where the gateway is and the key it knows us by. */
export interface GatewayAddress {
  /** `http://127.0.0.1:8800`; a path before `/pbs` is kept. */
  readonly url: string
  readonly key: Redacted.Redacted<string>
}

/** Settings may change while we run, so that the address is asked for at every call. Any failure's message is shown to the operator. */
export type AddressEffect = Effect.Effect<GatewayAddress, { readonly message: string }>

/** An address that was looked at: safe to show and to call. */
export interface CheckedAddress {
  /** Without credentials, query, fragment or trailing slash. */
  readonly base: string
  readonly key: Redacted.Redacted<string>
}

/** Asks for the address and refuses one that cannot be called, without repeating what it holds. */
export function checkedAddress(address: AddressEffect): Effect.Effect<CheckedAddress, SourceFailed> {
  return Effect.flatMap(
    Effect.mapError(
      address,
      (cause) => new SourceFailed({ code: 'unreachable', message: cause.message, retryable: true, cause }),
    ),
    ({ url, key }) => {
      const parsed = URL.canParse(url) ? new URL(url) : null
      if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
        return reject('the address of the gateway is not an http or https URL: correct it, like http://127.0.0.1:8800')
      }
      if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
        return reject('the address of the gateway must have no user, password, query or fragment: remove them')
      }
      if (!/^[\x21-\x7e]*$/.test(Redacted.value(key))) {
        return reject('the key of the gateway holds characters that no HTTP header can carry: enter it again')
      }
      return Effect.succeed({ base: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`, key })
    },
  )
}

const reject = (message: string) => Effect.fail(new SourceFailed({ code: 'protocol', message, retryable: false }))
