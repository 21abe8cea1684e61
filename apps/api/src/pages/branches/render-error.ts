import type {
  ApprovalNotAllowed,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchScopeUnknown,
  BranchValueTaken,
  StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { HttpError } from '../../rest/http-error.ts'
import type { ApiServices } from '../../services.ts'
import { sentence } from '../components/format.ts'
import type { Viewer } from '../components/viewer.ts'
import type { Page } from '../serve-page.tsx'
import { drawConflicts } from './conflicts-page.tsx'
import { drawOverview } from './overview-page.tsx'

/** Why something cannot be done to a branch. */
type PageError =
  | HttpError
  | BranchNotFound
  | BranchNotOpen
  | BranchInConflict
  | BranchNotApproved
  | BranchScopeUnknown
  | BranchValueTaken
  | BranchNotMerged
  | BranchNameTaken
  | ApprovalNotAllowed

/**
 * Shows the error of a form on the branch's page in its present state; for conflicts on the page
 * that lists them.
 */
export const renderError = (
  viewer: Viewer,
  id: number,
  done: Effect.Effect<Response, PageError | StoreFailed, ApiServices>,
): Page => {
  const say = (status: 400 | 409) => (error: { readonly message: string }) =>
    drawOverview(viewer, id, { kind: 'danger', text: sentence(error.message), status })
  return Effect.catchTags(done, {
    BranchNotFound: say(409),
    BranchNotOpen: say(409),
    BranchNotApproved: say(409),
    BranchScopeUnknown: say(409),
    BranchValueTaken: say(409),
    BranchNotMerged: say(409),
    ApprovalNotAllowed: say(409),
    BranchNameTaken: say(400),
    BranchInConflict: ({ message }) =>
      drawConflicts(viewer, id, new URLSearchParams({ resolved: 'false' }), {
        kind: 'danger',
        text: sentence(message),
        status: 409,
      }),
    HttpError: ({ body }) => say(400)({ message: wordsOf(body) }),
  })
}

/** The errors of each field in a body, in one line. */
export const wordsOf = (body: object): string =>
  Object.entries(body)
    .map(([field, texts]) => (field === 'detail' ? String(texts) : `${field}: ${[texts].flat().join(' ')}`))
    .join(' ')
