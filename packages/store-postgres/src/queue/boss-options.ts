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

/** Silence of a worker after which it is held to be lost, unless told otherwise. */
export const heartbeatTimeoutSeconds = 60

/** What a job of the queue lives by. */
export const queueOptions: QueueOptions = {
  // Our jobs end after `tries`. A lost worker reports nothing about its job and no other process
  // would end its run, so such a job is always taken again.
  retryLimit: 1000,
  retryBackoff: true,
  retryDelay: 15,
  retryDelayMax: 600,
  // Of a worker that is silent for so long another takes the job. Whoever claims it may say otherwise.
  heartbeatSeconds: heartbeatTimeoutSeconds,
  // The longest that pg-boss allows: a first sync may take hours, and its heartbeat tells whether it lives.
  expireInSeconds: 86_400,
  // How long a run's job, once done, is known and not queued again.
  deleteAfterSeconds: 86_400,
}

/** How pg-boss runs on our database. It migrates only when told to. */
export function bossOptions(driver: Driver): ConstructorOptions {
  return {
    db: bossDriver(driver),
    backend: driver._tag === 'pg' ? 'postgres' : 'pglite',
    schema,
    migrate: false,
    // Schedules are the worker's.
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
    // The embedded engine has neither a vacuum of its own to watch nor a second session to build an index in.
    reindex: driver._tag === 'pg',
    monitorVacuum: driver._tag === 'pg',
  }
}
