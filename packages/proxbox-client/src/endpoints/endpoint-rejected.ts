import { EndpointRejected } from '@netbox-pbs/core/ports'
import { ErrorBody, nameTakenDetail, type ValidationIssue } from '../contract/error-body.ts'
import { boundedText } from '../http/bounded-text.ts'

/** Where a sentence stands that is about no single field, as NetBox names it. */
const wholeObject = '__all__'

const ourFields = [
  'name',
  'host',
  'port',
  'token_id',
  'token_secret',
  'fingerprint',
  'verify_ssl',
  'timeout_seconds',
] as const

/** What a 400 or 422 says, under our field names and without the secrets that were sent. */
export function rejection(body: unknown, secrets: ReadonlyArray<string>): EndpointRejected {
  const read = ErrorBody.safeParse(body)
  if (!read.success)
    return new EndpointRejected({ errors: { [wholeObject]: ['The gateway refused it without a reason.'] } })

  const errors: Record<string, Array<string>> = {}
  const add = (field: string, text: string) => {
    errors[field] = [...(errors[field] ?? []), boundedText(text, secrets)]
  }
  const { detail } = read.data
  if (typeof detail === 'string') {
    add(detail === nameTakenDetail ? 'name' : wholeObject, detail)
  } else {
    for (const issue of detail.slice(0, 20)) add(fieldOf(issue), issue.msg)
  }
  return new EndpointRejected({ errors })
}

function fieldOf({ loc }: ValidationIssue): string {
  return ourFields.find((field) => loc.includes(field)) ?? wholeObject
}
