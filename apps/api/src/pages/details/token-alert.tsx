import { Alert } from '../components/alert.tsx'

/** What the last test said of a token that may do more than it needs; empty for any other token. */
export const TokenAlert = ({ warning }: { warning: unknown }) =>
  typeof warning === 'string' && warning !== '' ? (
    <Alert kind="warning">
      <div class="w-100">
        <p class="netbox-pbs-break">{warning}</p>
        <p class="mb-0">Reading goes on. “netbox-pbs server test” looks at the token again.</p>
      </div>
    </Alert>
  ) : null
