import { Context, Data, type Effect, type Option, type Redacted } from 'effect'
import type { Actor } from '../change-log.ts'
import type { EventRule, EventRuleValues, Webhook, WebhookValues } from '../events/webhook.ts'
import type { RecordPage } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** Another webhook, or another event rule, has the name. */
export class EventNameTaken extends Data.TaggedError('EventNameTaken')<{ readonly name: string }> {}

/** The webhook of an event rule is not there. */
export class WebhookNotFound extends Data.TaggedError('WebhookNotFound')<{ readonly id: number }> {}

/** The key of `X-Hook-Signature`; empty: requests are not signed. */
type Secret = Redacted.Redacted<string>

/** A page of a list; `search` looks in names and descriptions, ignoring case. */
export interface NamedListRequest extends RecordPage {
  readonly ids?: ReadonlyArray<number>
  readonly names?: ReadonlyArray<string>
  readonly search?: string
}

/** The receivers of events. Every write is in the change log, without the secret. */
export class Webhooks extends Context.Tag('@netbox-pbs/core/Webhooks')<
  Webhooks,
  {
    /** By name. */
    readonly list: (request: NamedListRequest) => Effect.Effect<ListedPage<Webhook>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Webhook>, StoreFailed>
    readonly create: (request: {
      readonly values: WebhookValues
      readonly secret: Secret
      readonly actor: Actor
    }) => Effect.Effect<Webhook, StoreFailed | EventNameTaken>
    /** Changes the named fields; none: there is no such webhook. */
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<WebhookValues>
      readonly secret?: Secret
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<Option.Option<Webhook>, StoreFailed | EventNameTaken | VersionChanged>
    /** Removes it with its rules and its deliveries. False: there is no such webhook. */
    readonly remove: (request: {
      readonly id: number
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | VersionChanged>
  }
>() {}

/**
 * The rules that say which events are sent. A rule is about what is committed after it was made, or
 * enabled.
 */
export class EventRules extends Context.Tag('@netbox-pbs/core/EventRules')<
  EventRules,
  {
    /** By name. */
    readonly list: (
      request: NamedListRequest & { readonly enabled?: boolean; readonly webhookIds?: ReadonlyArray<number> },
    ) => Effect.Effect<ListedPage<EventRule>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<EventRule>, StoreFailed>
    readonly create: (request: {
      readonly values: EventRuleValues
      readonly actor: Actor
    }) => Effect.Effect<EventRule, StoreFailed | EventNameTaken | WebhookNotFound>
    /** Changes the named fields; none: there is no such rule. */
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<EventRuleValues>
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<Option.Option<EventRule>, StoreFailed | EventNameTaken | WebhookNotFound | VersionChanged>
    /** False: there is no such rule. Its deliveries stay, and the open ones are sent. */
    readonly remove: (request: {
      readonly id: number
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | VersionChanged>
  }
>() {}
