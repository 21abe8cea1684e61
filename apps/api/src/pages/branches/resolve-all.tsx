import type { Branch } from '@netbox-pbs/core'
import { branchPage } from '../../rest/page-paths.ts'
import { formatCount } from '../components/format.ts'
import { resolutionWords } from './conflict-kind.ts'

/** Filters of a list of conflicts. */
export const conflictFilters = ['kind', 'object_type', 'field', 'scope', 'resolved'] as const

/**
 * Resolves every conflict that matches the filters, on all pages. Conflicts that do not allow the
 * chosen resolution stay open.
 */
export const ResolveAll = (props: {
  branch: Branch
  count: number
  path: string
  parameters: URLSearchParams
  formToken: string
}) => (
  <form class="row g-2 align-items-center" method="post" action={`${branchPage(props.branch.id)}conflicts/`}>
    <input type="hidden" name="form_token" value={props.formToken} />
    <input type="hidden" name="all" value="true" />
    <input type="hidden" name="next" value={`${props.path}?${props.parameters}`} />
    {conflictFilters.map((name) => (
      <input type="hidden" name={name} value={props.parameters.get(name) ?? ''} />
    ))}
    <div class="col-auto">
      <label class="col-form-label py-0" for="answer-all">
        {props.count === 1 ? 'Resolve the listed conflict:' : `Resolve all ${formatCount(props.count)} listed:`}
      </label>
    </div>
    <div class="col-auto">
      <select class="form-select" id="answer-all" name="resolution" required>
        <option value="">Choose</option>
        {(['main', 'branch', 'skip'] as const).map((choice) => (
          <option value={choice}>{resolutionWords[choice]}</option>
        ))}
        <option value="none">Withdraw resolutions</option>
      </select>
    </div>
    <div class="col-auto">
      <button class="btn" type="submit">
        {props.count === 1 ? 'Resolve 1 conflict' : `Resolve ${formatCount(props.count)} conflicts`}
      </button>
    </div>
  </form>
)
