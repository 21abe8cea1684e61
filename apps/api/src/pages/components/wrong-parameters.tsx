import { Alert } from './alert.tsx'

/** What is wrong with the parameters of a list page's address: the body with which REST refuses them. */
export const WrongParameters = ({ body }: { body: object }) => (
  <>
    {Object.entries(body).map(([name, texts]) => (
      <Alert kind="danger">
        {Array.isArray(body) ? String(texts) : `${name}: ${[texts].flat().map(String).join(' ')}`}
      </Alert>
    ))}
  </>
)

/** Parameters of a page's address that changed nothing. */
export const IgnoredParameters = ({ names }: { names: ReadonlyArray<string> }) =>
  names.length === 0 ? null : (
    <Alert kind="warning">The list has no such filter and is shown without it: {names.join(', ')}.</Alert>
  )
