import { expect, test } from 'vitest'
import {
  ApprovalNotAllowed,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchOfRun,
  BranchScopeUnknown,
  BranchValueTaken,
} from './branch-errors.ts'
import { ChangeSetClosed, ScopeInReview, ServerRenamed, WaitingChangesGone } from './change-sets.ts'
import { EndpointNotFound, EndpointRejected } from './endpoints.ts'
import { HeldDeletionsChanged, HeldDeletionsNotFound } from './held-deletions.ts'
import { ServerGone } from './inventory-writes.ts'
import { SecretUnreadable } from './secret-box.ts'
import { StoreFailed, VersionChanged } from './store-failed.ts'

const scope = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' } as const
const set = {
  id: 7,
  scope,
  reason: 'too_many',
  visibility: null,
  kept: false,
  count: 12,
  revision: 3,
  since: '2026-05-01T02:00:00Z',
  runId: 1,
} as const
const decided = { by: 'ann', at: '2026-05-01T03:00:00Z', count: 12 }

test.each([
  [new BranchNameTaken({ name: 'b' }), 'a branch named b exists already: choose another name'],
  [new BranchNotFound({ id: 3 }), 'there is no branch 3'],
  [
    new BranchNotOpen({ id: 3, status: 'no_changes' }),
    'branch 3 is no changes: only an open branch can be changed or merged',
  ],
  [new BranchOfRun({ id: 3, runId: 9 }), 'this is the branch of run 9: open a branch of your own to edit'],
  [new BranchOfRun({ id: 3, runId: null }), 'this is the branch of a run: open a branch of your own to edit'],
  [new BranchInConflict({ id: 3, conflicts: 1 }), 'branch 3 has 1 open conflict: resolve it, then merge again'],
  [new BranchInConflict({ id: 3, conflicts: 2 }), 'branch 3 has 2 open conflicts: resolve them, then merge again'],
  [
    new BranchScopeUnknown({ id: 3, scope: 'jobs of pbs-z' }),
    'branch 3 holds deletions in the jobs of pbs-z, but no server of that name is known: close the branch, and the next sync stages the present state of the source',
  ],
  [
    new BranchValueTaken({ id: 3, field: 'asset', value: 'A-1', titles: ['pbs-a', 'pbs-b'] }),
    'the merge of branch 3 would give pbs-a and pbs-b one value of the unique custom field asset, A-1: change one of them, then merge again',
  ],
  [
    new BranchNotApproved({ id: 3 }),
    'branch 3 is not approved in its present revision: ask a user other than its author to approve it',
  ],
  [new ApprovalNotAllowed({ id: 3, reason: 'own' }), 'branch 3 is yours: ask another user to approve it'],
  [
    new ApprovalNotAllowed({ id: 3, reason: 'changed' }),
    'branch 3 has changed since you looked at it: read it again, then approve its present revision',
  ],
  [new BranchNotMerged({ id: 3, status: 'in_review' }), 'branch 3 is in review: only a merged branch can be reverted'],
  [
    new ChangeSetClosed({ changeSet: 4 }),
    'change set 4 is closed: its job was taken over or cancelled, nothing more of it lands',
  ],
  [
    new ServerRenamed({ serverId: 1, before: 'a', after: 'b' }),
    'a was renamed to b while it was read: its job starts again under the new name',
  ],
  [
    new WaitingChangesGone({ branch: 3, scope }),
    'branch 3, in which changes of snapshots of pbs-a/tank waited, has ended while they were read: the job starts again',
  ],
  [
    new ScopeInReview({ scope, branch: null }),
    'snapshots of pbs-a/tank wait for review: the changes of a run are staged in a branch',
  ],
  [
    new HeldDeletionsNotFound({ id: 7 }),
    'held deletions 7 no longer exist: their rows came back or were deleted, or their server was deleted',
  ],
  [
    new HeldDeletionsChanged({ reason: 'decided', set: { ...set, state: 'confirmed', decided } }),
    'held deletions 7 were confirmed by ann at 2026-05-01T03:00:00Z',
  ],
  [
    new HeldDeletionsChanged({ reason: 'another_revision', set: { ...set, state: 'waiting', decided: null } }),
    'held deletions 7 have changed since you read them: they now have 12 rows, at revision 3; read them again',
  ],
  [new EndpointNotFound({ id: 5 }), 'the gateway has no endpoint 5'],
  [
    new EndpointRejected({ errors: { host: ['too long', 'has a blank'], port: ['no number'] } }),
    'host: too long has a blank; port: no number',
  ],
  [new ServerGone({ id: 6, index: 0 }), 'server 6 was just deleted: name another server'],
  [
    new SecretUnreadable({ keyName: 'SECRET_KEY' }),
    'stored secrets cannot be read with this key: set SECRET_KEY to the key they were stored under',
  ],
  [
    new VersionChanged({ version: '2026-05-01T02:00:00Z' }),
    'it was changed at 2026-05-01T02:00:00Z: read it again, then repeat the change',
  ],
])('%s', (error, message) => {
  expect(error.message).toBe(message)
})

test.each([
  ['unavailable', true, 'the database does not answer; check that it runs and try again'],
  ['conflict', true, 'it and another write blocked each other; try again'],
  [
    'unknown',
    true,
    'the connection to the database broke before it said whether this was done; look at it before you repeat it',
  ],
  ['busy', true, 'other requests used up the time that this one may wait; try again'],
  ['crowded', true, 'the database accepts no more connections; close some of its clients or raise its max_connections'],
  ['stopped', true, "the database stopped it, by its statement_timeout or an administrator's command; try again"],
  [
    'read_only',
    true,
    'the database can only be read, as a standby; check that its address leads to the primary and try again',
  ],
  ['too_slow', false, 'it took longer than a request may take and was stopped; ask for less'],
  ['refused', false, 'the database refused; check the rights of its user'],
  ['full', false, 'the disk of the database is full; free disk space and try again'],
] as const)('a store that is %s may answer a repeated call: %s', (reason, passes, next) => {
  const failed = new StoreFailed({ reason, operation: 'reading a run' })
  expect([failed.passes, failed.message]).toEqual([passes, `reading a run: ${next}`])
})
