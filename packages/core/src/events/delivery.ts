import type { StatusRule } from '../status.ts'
import type { EventType } from './event-types.ts'

/** What the state of a delivery may allow. */
export const deliveryActions = ['retry', 'cancel'] as const

/** What the state of a delivery may allow. */
export type DeliveryAction = (typeof deliveryActions)[number]

/** The states of a delivery. */
export const deliveryStates = {
  pending: { meaning: 'it waits for an attempt', open: true, allows: ['retry', 'cancel'] },
  delivered: { meaning: 'the receiver answered with a 2xx status', open: false, allows: [] },
  failed: { meaning: 'it was given up after its last attempt', open: false, allows: ['retry'] },
  cancelled: { meaning: 'a user cancelled it', open: false, allows: ['retry'] },
} as const satisfies Readonly<Record<string, StatusRule<DeliveryAction>>>

/** The state of a delivery. */
export type DeliveryState = keyof typeof deliveryStates

/** The states of a delivery, in the order of its life. */
export const deliveryStateNames = Object.keys(deliveryStates) as ReadonlyArray<DeliveryState> // border: the keys of a table that is written out here

/** Whether the state of a delivery allows an action. */
export const deliveryAllows = ({ state }: { readonly state: DeliveryState }, action: DeliveryAction): boolean => {
  const allows: ReadonlyArray<DeliveryAction> = deliveryStates[state].allows
  return allows.includes(action)
}

/** What a webhook is sent of one event, and how that went. */
export interface Delivery {
  readonly id: number
  /** The UUID in the header `X-Hook-Delivery`, the same in each attempt. */
  readonly uuid: string
  readonly state: DeliveryState
  readonly webhook: { readonly id: number; readonly name: string }
  /** The rule as it was named then; its id is null when it has been deleted since. */
  readonly rule: { readonly id: number | null; readonly name: string }
  readonly event_type: EventType
  readonly object_type: string
  readonly object_id: number | null
  /** The object in words. */
  readonly title: string
  /** The request behind the event; null: a run, or the system. */
  readonly request_id: string | null
  /** How often it was sent. */
  readonly attempts: number
  /** RFC 3339. */
  readonly created: string
  readonly last_attempt: string | null
  /** Null: none will follow. */
  readonly next_attempt: string | null
  /** When it was delivered, given up or cancelled. */
  readonly ended: string | null
  /** The status of the last response; null: there was none. */
  readonly response_status: number | null
  /** Why the last attempt failed; empty: it did not. */
  readonly error: string
}

/** A delivery with what was sent and what came back. */
export interface DeliveryDetail extends Delivery {
  /** The bytes that are signed and sent, in each attempt the same. */
  readonly body: string
  /** The request of the last attempt, without its headers that a user added; null: there was no attempt. */
  readonly request: { readonly method: string; readonly url: string; readonly content_type: string } | null
  /** The first characters of the last response. */
  readonly response_body: string
}

/** Characters of a response that are kept. */
export const keptResponse = 4096

/** Attempts after which a delivery is given up: about six hours after the first. */
export const mostAttempts = 15

const firstPause = 10
const longestPause = 3600

/**
 * Seconds before the next attempt after `attempts` have failed: they double up to an hour, and differ
 * by up to a fifth, so that deliveries which failed together do not come together. `random` is from
 * 0 up to 1. Null: it is given up.
 */
export function pauseAfter(attempts: number, random: number): number | null {
  if (attempts >= mostAttempts) return null
  const pause = Math.min(longestPause, firstPause * 2 ** (attempts - 1))
  return pause * (0.8 + 0.4 * random)
}

/** Open deliveries of one webhook, beyond which its events wait in the change log. */
export const mostOpenDeliveries = 1000
