import type { SourceFrame, SourceGroup } from '@netbox-pbs/core/ports'
import type { FailedFrame, Frame, GroupFrame } from '../contract/frame.ts'
import { boundedText } from '../foreign-text.ts'

/** A frame in core's words: facts apart from observations, and the scope as one value. */
export function sourceFrame(wire: Exclude<Frame, GroupFrame>): SourceFrame {
  switch (wire.frame) {
    case 'scope': {
      const { frame: _, ...scope } = wire
      return { _tag: 'scope', scope }
    }
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
      const { frame: _, server, ...facts } = wire
      return { _tag: 'namespace', server, facts }
    }
    case 'job': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'job', server, facts, observed }
    }
    case 'task': {
      const { frame: _, server, observed, ...facts } = wire
      return { _tag: 'task', server, facts, observed }
    }
    case 'complete': {
      const { frame: _, count, visibility, left_out, ...scope } = wire
      return { _tag: 'complete', scope, count, visibility, leftOut: left_out ?? 0 }
    }
    case 'failed':
      return failed(wire)
    case 'warning': {
      const { frame: _, code, message, ...scope } = wire
      return { _tag: 'warning', scope, code, message: sentence(message) }
    }
    case 'end':
      return { _tag: 'end' }
  }
}

function failed({ frame: _, error, retryable, server_answers, ...scope }: FailedFrame): SourceFrame {
  const { code, message, presented_fingerprint } = error
  return {
    _tag: 'failed',
    scope,
    code,
    message: sentence(message),
    retryable,
    ...(presented_fingerprint === undefined ? {} : { presentedFingerprint: presented_fingerprint }),
    ...(server_answers === undefined ? {} : { serverAnswers: server_answers }),
  }
}

/** Messages are stored with the run and shown: a line, not a page. */
const sentence = (message: string) => boundedText(message, [], 2000)

/** A group in core's words. */
export function sourceGroup(wire: GroupFrame): SourceGroup {
  const { frame: _, server: _server, left_out: _left, snapshots, ...facts } = wire
  return { facts, snapshots }
}
