import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { canonical } from '../crash/stored-inventory.ts'
import { type ExpectedInventory, expectedInventory } from '../support/expected-inventory.ts'

/** A row as the fleet or main has it, by field. */
export type Row = Readonly<Record<string, unknown>>

/** The models whose rows are compared. */
export type Model = keyof ExpectedInventory
export const models = [
  'datastores',
  'namespaces',
  'groups',
  'snapshots',
  'jobs',
] as const satisfies ReadonlyArray<Model>

const keys: Readonly<Record<Model, ReadonlyArray<string>>> = {
  datastores: ['server', 'name'],
  namespaces: ['server', 'datastore_name', 'path'],
  groups: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id'],
  snapshots: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id', 'backup_time'],
  jobs: ['server', 'job_type', 'job_id'],
}

/** The name that a server has in the fleet, whatever users call it: a name that they give adds to it after a dot. */
export const stateName = (name: string): string => name.replace(/\..*/, '')

/** A row's natural key in words. */
export const keyOf = (model: Model, row: Row): string =>
  `${model} ${keys[model].map((field) => String(row[field])).join(' ')}`

/** A row of the fleet, and the versions of the fleet in which it was so. */
interface Was {
  readonly row: Row
  readonly from: number
  /** The first version without it. */
  to: number
}

/** Everything that the fleet ever held. Each change of it makes a new version. */
export class FleetHistory {
  #version = 0
  readonly #rows = new Map<string, Array<Was>>()
  readonly #states: ReadonlyArray<PbsState>

  constructor(states: ReadonlyArray<PbsState>) {
    this.#states = states
    this.#record()
  }

  get version(): number {
    return this.#version
  }

  /** Takes note of a change. */
  changed(): void {
    this.#version += 1
    this.#record()
  }

  /** The rows of a key between two versions, both included, oldest first. */
  between(key: string, from: number, to: number): ReadonlyArray<Row> {
    return (this.#rows.get(key) ?? []).filter((was) => was.from <= to && was.to > from).map(({ row }) => row)
  }

  /** All rows that a key ever had. */
  ever(key: string): ReadonlyArray<Row> {
    return (this.#rows.get(key) ?? []).map(({ row }) => row)
  }

  /** Whether the key was missing in some version from the first to the second. */
  wasAbsent(key: string, from: number, to: number): boolean {
    let next = from
    for (const was of this.#rows.get(key) ?? []) {
      if (was.from > next) return true
      next = Math.max(next, was.to)
      if (next > to) return false
    }
    return next <= to
  }

  #record(): void {
    const now = new Map<string, Row>()
    for (const state of this.#states) {
      const inventory = expectedInventory(state)
      for (const model of models) for (const row of inventory[model]) now.set(keyOf(model, row), row)
    }
    for (const [key, list] of this.#rows) {
      const last = list.at(-1)
      if (last === undefined || last.to !== Number.POSITIVE_INFINITY) continue
      const row = now.get(key)
      if (row !== undefined && canonical(row) === canonical(last.row)) now.delete(key)
      else last.to = this.#version
    }
    for (const [key, row] of now) {
      const was: Was = { row, from: this.#version, to: Number.POSITIVE_INFINITY }
      const list = this.#rows.get(key)
      if (list === undefined) this.#rows.set(key, [was])
      else list.push(was)
    }
  }
}
