import type { RecordPage } from '@netbox-pbs/core'
import { Guests } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { findRow, pathId } from '../inventory/find-row.ts'
import { errorResponses, idParameter, notFoundResponse, ref, response } from '../openapi/responses.ts'
import {
  CopyLedger,
  guestFilter,
  SnapshotCopy,
  servedGuest,
  servedGuestWithGroups,
  servedLedger,
  servedSnapshotCopy,
} from '../records/guest.ts'
import { notFound } from '../rest/http-error.ts'
import { apiRoot, baseUrl, guestsPath, listPath } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { recordList, recordListOf } from './record-list.ts'

const tags = ['plugins']

const listRoute = recordList({
  path: guestsPath,
  operationId: 'plugins_pbs_guests_list',
  description: 'The guests: machines with backups, each once however many copies of them there are',
  schema: 'GuestList',
  filter: guestFilter,
  brief: ['backup_type', 'backup_id'],
  read: (request) => Effect.flatMap(Guests, (guests) => guests.list(request)),
  cursor: { idOf: ({ id }) => id, ordered: false },
  serve: (guest, base) => servedGuest(base, guest),
})

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${guestsPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_guests_retrieve',
    summary: 'Get a guest',
    description: 'The guest with its groups: the origin and its copies, each with how far it is behind.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The guest', ref('GuestWithGroups')), ...notFoundResponse },
  },
  (c) =>
    Effect.gen(function* () {
      const id = yield* pathId(c)
      const guests = yield* Guests
      const found = yield* guests.get({ id })
      if (Option.isNone(found)) return yield* notFound('No Guest matches the given query.')
      return c.json(servedGuestWithGroups(baseUrl(c), found.value, yield* guests.members({ id })))
    }),
)

const snapshotCopiesRoute = recordListOf({
  path: `${listPath('snapshot')}{id}/copies/`,
  operationId: 'plugins_pbs_snapshots_copies_list',
  description: 'The finished snapshots of the same backup type, id and time in other places',
  schema: 'SnapshotCopyList',
  filter: recordFilter(SnapshotCopy),
  owner: (c) => findRow('snapshot', c),
  read: ({ id }, page) =>
    Effect.map(
      Effect.flatMap(Guests, (guests) => guests.copiesOfSnapshot({ id })),
      (copies) => pageOf(copies, page),
    ),
  serve: (copy, base) => servedSnapshotCopy(base, copy),
})

const ledgerRoute = recordList({
  path: `${apiRoot}copy-ledger/`,
  operationId: 'plugins_pbs_copy_ledger_list',
  description:
    'The sync jobs that copy groups, by id: how many, how far the copies are behind, and whether the job ends OK although they are',
  schema: 'CopyLedgerList',
  filter: recordFilter(CopyLedger),
  read: (page) =>
    Effect.map(
      Effect.flatMap(Guests, (guests) => guests.ledger({})),
      (ledgers) => pageOf(ledgers, page),
    ),
  serve: (ledger, base) => servedLedger(base, ledger),
})

const pageOf = <A>(rows: ReadonlyArray<A>, { offset, limit }: RecordPage) => ({
  count: rows.length,
  rows: rows.slice(offset, offset + limit),
})

/** Guests with their copies, and what sync jobs have copied. */
export const guestPaths: ReadonlyArray<Path> = [
  { byServer: true, routes: [listRoute] },
  { byServer: true, routes: [detailRoute] },
  { byServer: true, routes: [snapshotCopiesRoute] },
  { byServer: true, routes: [ledgerRoute] },
]
