/** The rules of protection. The main entry exports all of them. */

export {
  type CalendarEvent,
  nextEvent,
  parseCalendarEvent,
  type Steps,
  type Values as CalendarValues,
} from './protection/calendar-event.ts'
export {
  type CopyCounts,
  type CopyEvidence,
  type CopyLag,
  type CopyLink,
  copyCounts,
  copyEvidence,
  copyLinks,
  type Family,
  type GuestCopy,
  type GuestGroup,
  type GuestGroups,
  guestsOf,
  type KeptGuest,
  type KeptGuests,
  keepGuests,
  pointTolerance,
} from './protection/guests.ts'
export {
  type GroupPlace,
  leads,
  type SyncJobFacts,
  type SyncRoute,
  selects,
  syncRoute,
} from './protection/sync-route.ts'
