import { signInPage } from '../../rest/page-paths.ts'
import { Alert } from './alert.tsx'

/** Asks for an API token. Nothing is kept of it: it opens a session of its own. */
export const SignIn = ({ next, error }: { next: string; error: string | null }) => (
  <>
    <h1 class="text-center mb-4">netbox-pbs</h1>
    <form class="card card-md" method="post" action={signInPage}>
      <div class="card-body">
        <h2 class="text-center mb-4">Sign in</h2>
        {error === null ? null : <Alert kind="danger">{error}</Alert>}
        <input type="hidden" name="next" value={next} />
        <label class="form-label" for="token">
          API token
        </label>
        <input
          class="form-control"
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          required
          autofocus
          aria-describedby="token-hint"
        />
        <small class="form-hint mt-1" id="token-hint">
          The start prints one, or the name of the file it is in. “netbox-pbs token create” makes another.
        </small>
        <div class="form-footer">
          <button class="btn btn-primary w-100" type="submit">
            Sign in
          </button>
        </div>
      </div>
    </form>
  </>
)
