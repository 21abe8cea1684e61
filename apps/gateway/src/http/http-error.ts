import { type ErrorBody, endpointNotFoundDetail } from '@netbox-pbs/proxbox-client/contract'
import { Data } from 'effect'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** A request is answered with an error that the contract names. `detail` is the body's only key. */
export class HttpError extends Data.TaggedError('HttpError')<{
  readonly status: ContentfulStatusCode
  readonly detail: ErrorBody['detail']
  readonly headers?: Readonly<Record<string, string>>
}> {
  override get message(): string {
    return typeof this.detail === 'string' ? this.detail : this.detail.map(({ msg }) => msg).join(' ')
  }
}

/** The one answer for an endpoint id that is not there. */
export const endpointNotFound = (): HttpError => new HttpError({ status: 404, detail: endpointNotFoundDetail })
