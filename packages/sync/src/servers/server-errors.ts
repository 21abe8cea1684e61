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
