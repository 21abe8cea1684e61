import { Context, type Effect, type Option, type Redacted } from 'effect'
import type { Actor } from '../change-log.ts'
import type { Delivery, DeliveryDetail, DeliveryState } from '../events/delivery.ts'
import type { EventType } from '../events/event-types.ts'
import type { WebhookMethod } from '../events/webhook.ts'
import type { RecordPage } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** Filters of deliveries: one matches every given filter, and any value of each. */
export interface DeliveryFilter {
  readonly states?: ReadonlyArray<DeliveryState>
  readonly webhookIds?: ReadonlyArray<number>
  readonly ruleIds?: ReadonlyArray<number>
  readonly eventTypes?: ReadonlyArray<EventType>
  readonly objectTypes?: ReadonlyArray<string>
  readonly objectIds?: ReadonlyArray<number>
  /** UUIDs. */
  readonly requestIds?: ReadonlyArray<string>
  /** RFC 3339, both included. */
  readonly after?: string
  readonly before?: string
}

/** An attempt that this worker makes: everything that is sent. */
export interface DueDelivery {
  readonly id: number
  readonly uuid: string
  /** Counts from 1. A late report of an earlier attempt changes nothing. */
  readonly attempt: number
  readonly method: WebhookMethod
  readonly url: string
  readonly content_type: string
  /** Those that a user added. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  /** None: the request is not signed. */
  readonly secret: Option.Option<Redacted.Redacted<string>>
  readonly ssl_verification: boolean
}

/** How an attempt ended. */
export interface AttemptOutcome {
  readonly delivered: boolean
  /** No further attempt could help. */
  readonly final: boolean
  /** Null: there was no response. */
  readonly status: number | null
  /** The first characters of the response. */
  readonly response: string
  /** Empty when it was delivered. */
  readonly error: string
}

/** The requests that webhooks are sent. */
export class Deliveries extends Context.Tag('@netbox-pbs/core/Deliveries')<
  Deliveries,
  {
    /** Newest first. */
    readonly list: (
      request: RecordPage & { readonly filter: DeliveryFilter },
    ) => Effect.Effect<ListedPage<Delivery>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<DeliveryDetail>, StoreFailed>
    /** Makes it due now, with all its attempts. None: its state does not allow that, or there is none. */
    readonly retry: (request: {
      readonly id: number
      readonly actor: Actor
    }) => Effect.Effect<Option.Option<DeliveryDetail>, StoreFailed>
    /** An attempt that is under way may still arrive. None: its state does not allow that, or there is none. */
    readonly cancel: (request: {
      readonly id: number
      readonly actor: Actor
    }) => Effect.Effect<Option.Option<DeliveryDetail>, StoreFailed>
    /**
     * Follows what was committed: makes the deliveries of a bounded number of events, and moves the
     * position of the webhooks in the same transaction. Any number of workers may ask at once. True: there may be more.
     */
    readonly follow: () => Effect.Effect<boolean, StoreFailed>
    /**
     * Takes the next due delivery for an attempt, counts the attempt, and sends it through `send`; then
     * records the outcome. Of one object and webhook one is sent at a time, the oldest first. False: none is due.
     * After a crash in between, it is sent again.
     */
    readonly deliver: <R>(
      send: (due: DueDelivery) => Effect.Effect<AttemptOutcome, never, R>,
    ) => Effect.Effect<boolean, StoreFailed, R>
  }
>() {}
