import type { SourceFrame, SourceGroup } from '@netbox-pbs/core/ports'
import type { FailedFrame, Frame, GroupFrame } from '../contract/frame.ts'
import { scopeOf } from '../contract/scope-fields.ts'
import { boundedText } from '../http/bounded-text.ts'

/** A frame in core's words: facts apart from observations, `datastore_name` for what the wire calls `datastore`. */
export function sourceFrame(wire: Exclude<Frame, GroupFrame>): SourceFrame {
  switch (wire.frame) {
    case 'scope':
      return { _tag: 'scope', scope: scopeOf(wire) }
    case 'server': {
      const { frame: _, server: _name, observed, ...facts } = wire
      const { error } = observed
      const withSentence = error === undefined ? {} : { error: { ...error, message: sentence(error.message) } }
      return { _tag: 'server', facts, observed: { ...observed, ...withSentence } }
    }
    case 'datastore': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'datastore', server, facts, observed }
    }
    case 'namespace': {
      const { frame: _, server, datastore: datastore_name, ...facts } = wire
      return { _tag: 'namespace', server, facts: { datastore_name, ...facts } }
    }
    case 'job': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'job', server, facts, observed }
    }
    case 'task': {
      const { frame: _, server, observed, datastore: datastore_name, ...facts } = wire
      return { _tag: 'task', server, facts: { datastore_name, ...facts }, observed }
    }
    case 'complete':
      return {
        _tag: 'complete',
        scope: scopeOf(wire),
        count: wire.count,
        visibility: wire.visibility,
        leftOut: wire.left_out ?? 0,
      }
    case 'failed':
      return { _tag: 'failed', scope: scopeOf(wire), ...failure(wire) }
    case 'warning':
      return { _tag: 'warning', scope: scopeOf(wire), code: wire.code, message: sentence(wire.message) }
    case 'end':
      return { _tag: 'end' }
  }
}

const failure = ({ error: { code, message, presented_fingerprint }, retryable, server_answers }: FailedFrame) => ({
  code,
  message: sentence(message),
  retryable,
  ...(presented_fingerprint === undefined ? {} : { presentedFingerprint: presented_fingerprint }),
  ...(server_answers === undefined ? {} : { serverAnswers: server_answers }),
})

/** Messages are stored with the run and shown: a line, not a page. */
const sentence = (message: string) => boundedText(message, [], 2000)

/** A group in core's words: every snapshot carries the whole of its key. */
export function sourceGroup(wire: GroupFrame): SourceGroup {
  const { frame: _, server: _server, datastore: datastore_name, left_out: _left, snapshots, ...group } = wire
  const { namespace, backup_type, backup_id } = group
  return {
    facts: { datastore_name, ...group },
    snapshots: snapshots.map((snapshot) => ({ datastore_name, namespace, backup_type, backup_id, ...snapshot })),
  }
}
