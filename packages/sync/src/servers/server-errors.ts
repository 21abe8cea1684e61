import type { EndpointTest } from '@netbox-pbs/core/ports'
import { Data } from 'effect'

/** There is no server of that id. */
export class ServerNotFound extends Data.TaggedError('ServerNotFound')<{ readonly id: number }> {
  override get message(): string {
    return `there is no server ${this.id}`
  }
}

/** Another request is connecting or changing this server. */
export class ServerPending extends Data.TaggedError('ServerPending')<{ readonly name: string }> {
  override get message(): string {
    return `${this.name} is being connected or changed by another request; try again in two minutes`
  }
}

/** A connection was tried before it was stored, and nothing can be read with it. `error` is what the test told. */
export class ServerNotUsable extends Data.TaggedError('ServerNotUsable')<{
  readonly error: string
  readonly test: EndpointTest
}> {
  /** The field of the server to look at first. */
  get field(): 'host' | 'fingerprint' | 'token_id' | 'token_secret' | '__all__' {
    switch (this.test.code) {
      case 'unreachable':
      case 'timeout':
        return 'host'
      case 'tls_fingerprint_mismatch':
      case 'tls_untrusted':
        return 'fingerprint'
      case 'unauthorized':
        return 'token_secret'
      case 'forbidden':
        return 'token_id'
      default:
        return '__all__'
    }
  }

  override get message(): string {
    const { acl_commands } = this.test
    const commands = acl_commands.length === 0 ? '' : ` Run on the server: ${acl_commands.join('; ')}`
    return `${this.error}${commands}`
  }
}
