import { nextEvent as nextEventOf, parseCalendarEvent, type TimeZone, timeZone } from '@netbox-pbs/core'

/**
 * When a schedule fires next after `after`, in epoch seconds, in the server's time zone. Null without a schedule, and for
 * one that is none, as PBS leaves `next-run` out for schedules it cannot compute.
 */
export const nextEvent = (schedule: string | null, after: number, timezone: string): number | null => {
  const event = schedule === null ? null : parseCalendarEvent(schedule)
  return event === null ? null : nextEventOf(event, after, zoneOf(timezone))
}

/** Epoch seconds plus the zone's offset at that time: PBS's `localtime`. */
export const localTimeOf = (timezone: string, time: number): number => zoneOf(timezone).wallTime(time)

const zones = new Map<string, TimeZone>()

/** The zone of a name; throws a RangeError when there is none. */
function zoneOf(name: string): TimeZone {
  const zone = zones.get(name) ?? timeZone(name)
  if (zone === null) throw new RangeError(`no time zone ${name}`)
  zones.set(name, zone)
  return zone
}
