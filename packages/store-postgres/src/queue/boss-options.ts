import type { ConstructorOptions, QueueOptions } from 'pg-boss'
import type { Driver } from '../database/database.ts'
import { bossDriver } from './boss-driver.ts'

/** The schema that is pg-boss' own. */
export const schema = 'pgboss'

/** The one queue. At most one of its jobs of one key is active, whatever the number of workers; any number waits. */
export const queueName = 'sync'
export const queuePolicy = 'singleton'

/** Tries that fail before a job is given up. */
export const tries = 5

/** Silence after which a worker counts as lost, unless configured otherwise. */
export const heartbeatTimeoutSeconds = 60

/** The options of a job in the queue. */
export const queueOptions: QueueOptions = {
  // Our jobs end after `tries`. A lost worker reports nothing about its job and no other process
  // would end its run, so such a job is always taken again.
  retryLimit: 1000,
  retryBackoff: true,
  retryDelay: 15,
  retryDelayMax: 600,
  // Another worker takes the job of a worker that is silent for this long. The claim may set
  // another time.
  heartbeatSeconds: heartbeatTimeoutSeconds,
  // The longest that pg-boss allows: a first sync may take hours, and its heartbeat tells whether it lives.
  expireInSeconds: 86_400,
  // How long a finished job is remembered and not queued again.
  deleteAfterSeconds: 86_400,
}

/** How pg-boss runs on our database. It migrates only when told to. */
export function bossOptions(driver: Driver): ConstructorOptions {
  return {
    db: bossDriver(driver),
    backend: driver._tag === 'pg' ? 'postgres' : 'pglite',
    schema,
    migrate: false,
    // The worker has its own schedules.
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
    // The embedded engine has neither a vacuum of its own to watch nor a second session to build an index in.
    reindex: driver._tag === 'pg',
    monitorVacuum: driver._tag === 'pg',
  }
}
