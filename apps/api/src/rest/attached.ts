// The form of a row is core's, because webhooks send rows too.
export { type Attached, needsDefinitions, noDefinitions, tagsOf, withLabel } from '@netbox-pbs/core'
